#include <gtest/gtest.h>

#include "allowlist/verdicts_for_tests.hpp"

namespace edgecase::allowlist {
namespace {

/// A chain at the input hook with these rules, and what else the table has before it.
Ruleset input(const std::string& rules, const std::string& policy = "drop",
              const std::string& before = "") {
    return rules_of({"table inet t {\n" + before +
                     "\nchain input {\ntype filter hook input priority " + "filter; policy " +
                     policy + ";\n" + rules + "\n}\n}\n"});
}

TEST(Nft, ThePolicyDecidesWhatNoRuleDoes) {
    EXPECT_EQ(verdict(input("", "drop"), "1.2.3.4"), "dropped");
    EXPECT_EQ(verdict(input("", "accept"), "1.2.3.4"), "admitted");
    EXPECT_EQ(verdict(input("tcp dport 22 accept"), "1.2.3.4"), "dropped");
}

TEST(Nft, TheFirstRuleThatMatchesDecides) {
    const auto rules = input("ip saddr 1.2.3.0/24 drop\nip saddr 1.0.0.0/8 accept\nreject");
    EXPECT_EQ(verdict(rules, "1.2.3.4"), "dropped");
    EXPECT_EQ(verdict(rules, "1.2.4.4"), "admitted");
    EXPECT_EQ(verdict(rules, "2.2.4.4"), "rejected connect.rejected");
    EXPECT_EQ(verdict(rules, "2400:cb00::1"), "rejected connect.rejected");
}

TEST(Nft, EachRejectionIsSeenAsWhatItIs) {
    EXPECT_EQ(verdict(input("reject with tcp reset"), "1.2.3.4"), "rejected connect.refused");
    EXPECT_EQ(verdict(input("reject with icmp port-unreachable"), "1.2.3.4"),
              "rejected connect.rejected");
    EXPECT_EQ(verdict(input("reject with icmpx admin-prohibited"), "1.2.3.4"),
              "rejected connect.prohibited");
    EXPECT_EQ(verdict(input("reject with icmp type net-unreachable"), "1.2.3.4"),
              "rejected connect.unroutable");
    EXPECT_EQ(verdict(input("reject with icmpv6 type addr-unreachable"), "::1"),
              "rejected connect.host_unreachable");
}

TEST(Nft, SetsAreLookedUp) {
    const std::string set =
        "set edge {\ntype ipv4_addr\nflags interval\nelements = { 1.2.3.0/24 counter packets 0 "
        "bytes "
        "0,\n 5.0.0.0-5.0.0.9 timeout 1h expires 5m, 7.7.7.7 comment \"x, y }\" }\n}\n";
    const auto rules = input("ip saddr @edge tcp dport { 80, 443 } accept", "drop", set);
    for (const char* in : {"1.2.3.255", "5.0.0.9", "7.7.7.7"})
        EXPECT_EQ(verdict(rules, in), "admitted");
    EXPECT_EQ(verdict(rules, "5.0.0.10"), "dropped");
    EXPECT_EQ(verdict(rules, "1.2.3.1", 8080), "dropped");
    EXPECT_EQ(verdict(input("ip saddr != @edge drop", "accept", set), "1.2.3.4"), "admitted");
    EXPECT_EQ(verdict(input("ip saddr != @edge drop", "accept", set), "9.9.9.9"), "dropped");
    EXPECT_EQ(verdict(input("ip saddr != @edge drop", "accept", set), "2400::1"), "admitted");
    EXPECT_EQ(verdict(input("ip saddr @other accept"), "1.2.3.4"), "unknown");
}

TEST(Nft, AnAddressWithAPortIsLookedUpAsAPair) {
    const std::string set =
        "set p {\ntype ipv4_addr . inet_service\nelements = { 1.2.3.4 . 443, 1.2.3.5 . 80 }\n}\n";
    const auto rules = input("ip saddr . tcp dport @p accept", "drop", set);
    EXPECT_EQ(verdict(rules, "1.2.3.4"), "admitted");
    EXPECT_EQ(verdict(rules, "1.2.3.5"), "dropped");
    EXPECT_EQ(verdict(rules, "1.2.3.5", 80), "admitted");
    const auto inlined = input("ip saddr . tcp dport { 1.2.3.4 . 443, 9.0.0.0/8 . 1-1000 } accept");
    EXPECT_EQ(verdict(inlined, "9.1.1.1", 80), "admitted");
    EXPECT_EQ(verdict(inlined, "9.1.1.1", 8080), "dropped");
}

TEST(Nft, VerdictMapsAreFollowed) {
    const std::string chain = "chain web {\nip saddr 1.0.0.0/8 accept\n}\n";
    const auto rules =
        input("tcp dport vmap { 22 : drop, 443 : jump web, 80 : goto web }\naccept", "drop", chain);
    EXPECT_EQ(verdict(rules, "1.1.1.1", 443), "admitted");
    EXPECT_EQ(verdict(rules, "2.1.1.1", 443), "admitted");  // back from the jump
    EXPECT_EQ(verdict(rules, "2.1.1.1", 80), "dropped");    // gone to: the policy is next
    EXPECT_EQ(verdict(rules, "2.1.1.1", 22), "dropped");
    const auto named = input("ip saddr vmap @m", "accept",
                             "map m {\ntype ipv4_addr : verdict\nflags interval\nelements = { "
                             "1.0.0.0/8 : drop, 2.0.0.0/8 : accept }\n}\n");
    EXPECT_EQ(verdict(named, "1.1.1.1"), "dropped");
    EXPECT_EQ(verdict(named, "2.1.1.1"), "admitted");
    const auto with_default = input("ip saddr vmap { * : drop, 1.0.0.0/8 : accept }", "accept");
    EXPECT_EQ(verdict(with_default, "1.1.1.1"), "admitted");
    EXPECT_EQ(verdict(with_default, "3.1.1.1"), "dropped");
}

TEST(Nft, ANamedVerdictMapMayHaveConcatenatedKeys) {
    const auto rules = [](const std::string& elements, const std::string& more = "") {
        return input("ip saddr . tcp dport vmap @m", "accept",
                     "map m {\ntype ipv4_addr . inet_service : verdict\n" + more + "elements = { " +
                         elements + " }\n}\n");
    };
    const auto two = rules("1.0.0.0/8 . 443 : drop, 2.0.0.0/8 . 443 : accept");
    EXPECT_EQ(verdict(two, "1.1.1.1"), "dropped");
    EXPECT_EQ(verdict(two, "1.1.1.1", 80), "admitted");
    EXPECT_EQ(verdict(two, "3.1.1.1"), "admitted");
    EXPECT_EQ(verdict(rules("1.1.1.1 . 443 : accept", "flags dynamic\n"), "1.1.1.1"), "unknown");
    EXPECT_EQ(verdict(input("ip saddr . ip daddr vmap @m", "accept",
                            "map m {\nelements = { 1.1.1.1 . 9.9.9.9 : drop }\n}\n"),
                      "1.1.1.1"),
              "unknown");
}

TEST(Nft, WhatComesBackFromAMapIsNotForItsDefault) {
    const auto rules = input(
        "ct state established accept\ntcp dport vmap { 443 : jump web, 80 : "
        "continue, * : drop }",
        "accept", "chain web {\n}\n");
    EXPECT_EQ(verdict(rules, "1.1.1.1", 443), "admitted");
    EXPECT_EQ(verdict(rules, "1.1.1.1", 80), "admitted");
    EXPECT_EQ(verdict(rules, "1.1.1.1", 22), "dropped");
}

TEST(Nft, ProtocolsAreNumbersToo) {
    EXPECT_EQ(verdict(input("ip protocol 0-10 drop", "accept"), "1.1.1.1"), "dropped");
    EXPECT_EQ(verdict(input("meta l4proto 1-17 accept"), "1.1.1.1"), "admitted");
    EXPECT_EQ(verdict(input("meta l4proto 0x06 accept"), "1.1.1.1"), "admitted");
    EXPECT_EQ(verdict(input("meta l4proto { 17, 0x11, udp } accept"), "1.1.1.1"), "dropped");
    EXPECT_EQ(verdict(input("meta l4proto frob drop", "accept"), "1.1.1.1"), "unknown");
    EXPECT_EQ(verdict(input("meta l4proto != 1-17 drop", "accept"), "1.1.1.1"), "admitted");
    EXPECT_EQ(verdict(input("meta l4proto . th dport { 0x06 . 443, udp . 53 } drop", "accept"),
                      "1.1.1.1"),
              "dropped");
    EXPECT_EQ(verdict(input("ip saddr . tcp dport . ip protocol @s drop", "accept",
                            "set s {\nelements = { 1.1.1.1 . 443 . 6 }\n}\n"),
                      "1.1.1.1"),
              "unknown");
}

TEST(Nft, TheHooksOfADeviceAreForItsPacketsAlone) {
    const auto judged = [](const std::string& hook, const char* name) {
        const auto rules = rules_of({"table netdev t {\nchain c {\ntype filter hook " + hook +
                                     " priority 0; policy drop;\ntcp dport 22 accept\n}\n}\n"});
        Question question;
        question.interface_in = name;
        const auto one = ip::Cidr::parse("1.1.1.1");
        const Judgement judgement = judge(rules, question, ip::AddressSet(*one));
        if (!judgement.admitted.empty()) return "admitted";
        return judgement.dropped.empty() ? "unknown" : "dropped";
    };
    EXPECT_STREQ(judged("ingress device \"eth1\"", "eth1"), "dropped");
    EXPECT_STREQ(judged("ingress device \"eth1\"", ""), "unknown");
    EXPECT_STREQ(judged("ingress device \"eth1\"", "eth1.10"), "unknown");
    EXPECT_STREQ(judged("ingress device \"lo\"", "eth1"), "admitted");
    EXPECT_STREQ(judged("ingress devices = { \"eth0\", \"eth1\" }", "eth1"), "dropped");
    EXPECT_STREQ(judged("egress device \"eth1\"", "eth1"), "dropped");
    EXPECT_STREQ(judged("egress device \"eth1\"", ""), "unknown");
    EXPECT_STREQ(judged("egress device \"lo\"", ""), "admitted");
}

TEST(Nft, ASetMayHaveTheElementsOfADefinition) {
    const auto rules = rules_of(
        {"define EDGE = { 1.0.0.0/8 }\ntable ip f {\nset e {\ntype ipv4_addr\nflags interval\n"
         "elements = $EDGE;\n}\nchain i {\ntype filter hook input priority 0; policy drop;\nip "
         "saddr @e accept\n}\n}\n"});
    EXPECT_EQ(verdict(rules, "1.1.1.1"), "admitted");
    EXPECT_EQ(verdict(rules, "2.1.1.1"), "dropped");
}

TEST(Nft, ReturnGoesBackToTheCaller) {
    const auto rules =
        input("jump a\naccept", "drop",
              "chain a {\nip saddr 1.0.0.0/8 return\nip saddr 2.0.0.0/8 goto b\ndrop\n}\n"
              "chain b {\nip saddr 2.2.0.0/16 drop\n}\n");
    EXPECT_EQ(verdict(rules, "1.1.1.1"), "admitted");
    EXPECT_EQ(verdict(rules, "2.1.1.1"), "admitted");
    EXPECT_EQ(verdict(rules, "2.2.1.1"), "dropped");
    EXPECT_EQ(verdict(rules, "3.1.1.1"), "dropped");
}

TEST(Nft, EveryBaseChainMustAccept) {
    const std::string early =
        "chain early {\ntype filter hook prerouting priority raw; policy accept;\nip saddr "
        "1.0.0.0/8 "
        "drop\nip saddr 2.0.0.0/8 accept\n}\n";
    EXPECT_EQ(verdict(input("accept", "drop", early), "1.1.1.1"), "dropped");
    EXPECT_EQ(verdict(input("drop", "drop", early), "2.1.1.1"), "dropped");
    EXPECT_EQ(verdict(input("accept", "drop", early), "2.1.1.1"), "admitted");
}

TEST(Nft, ANewConnectionIsNewAndItsReplyEstablished) {
    EXPECT_EQ(verdict(input("ct state established,related accept"), "1.1.1.1"), "dropped");
    EXPECT_EQ(verdict(input("ct state new,established tcp dport 443 accept"), "1.1.1.1"),
              "admitted");
    EXPECT_EQ(
        verdict(input("ct state established accept\nct state != new drop", "accept"), "1.1.1.1"),
        "admitted");
    EXPECT_EQ(
        verdict(input("ct state vmap { new : drop, established : accept }", "accept"), "1.1.1.1"),
        "dropped");
    const std::string output =
        "chain output {\ntype filter hook output priority 0; policy drop;\nct state established ip "
        "daddr 1.0.0.0/8 tcp sport 443 accept\n}\n";
    EXPECT_EQ(verdict(input("accept", "drop", output), "1.1.1.1"), "admitted");
    EXPECT_EQ(verdict(input("accept", "drop", output), "2.1.1.1"), "dropped");
    EXPECT_EQ(verdict(input("accept", "drop", output), "1.1.1.1", 80), "dropped");
}

TEST(Nft, WhatComesAfterTheFirstPacketMustGetInToo) {
    EXPECT_EQ(verdict(input("ct state new tcp dport 443 accept"), "1.1.1.1"), "dropped");
    EXPECT_EQ(verdict(input("ct state new accept\nct state established accept"), "1.1.1.1"),
              "admitted");
}

TEST(Nft, FlagsOfASynAreKnown) {
    EXPECT_EQ(verdict(input("tcp flags syn accept\nct state established accept"), "1.1.1.1"),
              "admitted");
    EXPECT_EQ(
        verdict(
            input("tcp flags & (fin | syn | rst | ack) == syn accept\nct state established accept"),
            "1.1.1.1"),
        "admitted");
    EXPECT_EQ(
        verdict(
            input("ct state established accept\ntcp flags & (fin | syn | rst | ack) != syn drop",
                  "accept"),
            "1.1.1.1"),
        "admitted");
    EXPECT_EQ(verdict(input("tcp flags syn / fin,syn,rst,ack accept\nct state established accept"),
                      "1.1.1.1"),
              "admitted");
    EXPECT_EQ(verdict(input("tcp flags & (fin | syn) == (fin | syn) drop", "accept"), "1.1.1.1"),
              "admitted");
    EXPECT_EQ(verdict(input("tcp flags ack accept"), "1.1.1.1"), "dropped");
}

TEST(Nft, LimitsMakeAConnectionSporadic) {
    EXPECT_EQ(verdict(input("limit rate 10/second accept"), "1.1.1.1"), "rate_limited");
    EXPECT_EQ(verdict(input("limit rate over 10/second burst 5 packets drop\naccept"), "1.1.1.1"),
              "rate_limited");
    EXPECT_EQ(verdict(input("limit rate 1/second log prefix \"x \" level info\naccept"), "1.1.1.1"),
              "admitted");
    EXPECT_EQ(verdict(input("limit rate 10/second drop"), "1.1.1.1"), "dropped");
    EXPECT_EQ(verdict(input("add @f { ip saddr limit rate over 5/minute } drop", "accept",
                            "set f {\ntype ipv4_addr\nflags dynamic\n}\n"),
                      "1.1.1.1"),
              "rate_limited");
    EXPECT_EQ(verdict(input("numgen random mod 100 < 30 drop", "accept"), "1.1.1.1"),
              "rate_limited");
    EXPECT_EQ(verdict(input("ct count over 20 reject", "accept"), "1.1.1.1"), "rate_limited");
}

TEST(Nft, WhatIsNotKnownIsNeverAllowed) {
    EXPECT_EQ(verdict(input("meta skuid 0 accept"), "1.1.1.1"), "unknown");
    EXPECT_EQ(verdict(input("osf name \"Linux\" accept"), "1.1.1.1"), "unknown");
    EXPECT_EQ(verdict(input("tcp dport 443 queue num 1"), "1.1.1.1"), "unknown");
    EXPECT_EQ(verdict(input("frobnicate 1 2 3"), "1.1.1.1"), "unknown");
    EXPECT_EQ(verdict(input("iifname \"eth1\" accept"), "1.1.1.1"), "unknown");
    EXPECT_EQ(verdict(input("iifname \"lo\" accept"), "1.1.1.1"), "dropped");
    EXPECT_EQ(verdict(input("ip saddr 9.0.0.0/8 meta skuid 0 drop\naccept"), "1.1.1.1"),
              "admitted");
    // Whichever way it goes, the end is the same.
    EXPECT_EQ(verdict(input("iifname \"eth1\" accept\naccept"), "1.1.1.1"), "admitted");
    EXPECT_EQ(verdict(input("udp dport 443 accept\nicmp type echo-request accept"), "1.1.1.1"),
              "dropped");
}

TEST(Nft, MarksAreZeroUnlessARuleSetsOne) {
    EXPECT_EQ(verdict(input("meta mark 0x1 accept"), "1.1.1.1"), "dropped");
    EXPECT_EQ(verdict(input("meta mark & 0xff != 0x1 accept"), "1.1.1.1"), "admitted");
    EXPECT_EQ(
        verdict(input("ip saddr 2.0.0.0/8 meta mark set 0x1\nmeta mark 0x1 accept"), "1.1.1.1"),
        "unknown");
}

TEST(Nft, DefinitionsThatMultiplyEachOtherAreAnError) {
    for (const char* const first : {"{ 1.0.0.0/8, 2.0.0.0/8 }", "{ }"}) {
        std::string text = "define a0 = " + std::string(first) + "\n";
        for (int i = 1; i < 8; ++i) {
            text += "define a" + std::to_string(i) + " = { ";
            for (int k = 0; k < 20; ++k) text += "$a" + std::to_string(i - 1) + ", ";
            text += "}\n";
        }
        text +=
            "table ip t {\nchain i {\ntype filter hook input priority 0;\nip saddr $a7 "
            "accept\n}\n}\n";
        EXPECT_NE(error_of(text, "nft").find("definitions stand for more than 1000000 elements"),
                  std::string::npos);
    }
}

TEST(Nft, DefinitionsAreUsed) {
    const auto rules = rules_of(
        {"define INNER = 5.5.5.5\ndefine EDGE = { 1.0.0.0/8, $INNER }\nflush ruleset\ntable ip f "
         "{\nchain "
         "i {\ntype filter hook input priority 0; policy drop;\nip saddr $EDGE accept\n}\n}\n"});
    EXPECT_EQ(verdict(rules, "1.1.1.1"), "admitted");
    EXPECT_EQ(verdict(rules, "5.5.5.5"), "admitted");
    EXPECT_EQ(verdict(rules, "6.5.5.5"), "dropped");
    EXPECT_EQ(verdict(rules, "::5"), "admitted");  // table ip has no say there
}

TEST(Nft, JsonSaysTheSame) {
    const auto rules = rules_of({R"({"nftables": [
      {"metainfo": {"version": "1.0.6", "json_schema_version": 1}},
      {"table": {"family": "inet", "name": "f", "handle": 1}},
      {"chain": {"family": "inet", "table": "f", "name": "i", "handle": 1, "type": "filter",
        "hook": "input", "prio": 0, "policy": "drop"}},
      {"set": {"family": "inet", "name": "edge", "table": "f", "type": "ipv4_addr", "flags": ["interval"],
        "elem": [{"prefix": {"addr": "1.0.0.0", "len": 8}}, {"range": ["5.0.0.1", "5.0.0.9"]}]}},
      {"rule": {"family": "inet", "table": "f", "chain": "i", "handle": 7, "expr": [
        {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}},
        {"accept": null}]}},
      {"rule": {"family": "inet", "table": "f", "chain": "i", "handle": 8, "expr": [
        {"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": "@edge"}},
        {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}},
          "right": {"set": [80, 443]}}},
        {"counter": {"packets": 0, "bytes": 0}}, {"accept": null}]}},
      {"rule": {"family": "inet", "table": "f", "chain": "i", "handle": 9, "expr": [
        {"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}},
          "right": {"prefix": {"addr": "6.0.0.0", "len": 8}}}},
        {"reject": {"type": "icmpx", "expr": "admin-prohibited"}}]}},
      {"rule": {"family": "inet", "table": "f", "chain": "i", "handle": 10, "expr": [
        {"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": "7.7.7.7"}},
        {"xt": {"type": "match", "name": "set"}}, {"accept": null}]}}]})"});
    EXPECT_EQ(verdict(rules, "1.1.1.1"), "admitted");
    EXPECT_EQ(verdict(rules, "5.0.0.9", 80), "admitted");
    EXPECT_EQ(verdict(rules, "5.0.0.10"), "dropped");
    EXPECT_EQ(verdict(rules, "6.0.0.1"), "rejected connect.prohibited");
    EXPECT_EQ(verdict(rules, "7.7.7.7"), "unknown");
    ASSERT_EQ(rules.chains.size(), 1U);
    EXPECT_EQ(rules.chains[0].rules[1].place.handle, 8U);
    EXPECT_EQ(rules.chains[0].rules[1].text, "ip saddr @edge tcp dport { 80, 443 } counter accept");
}

TEST(Nft, ARuleForExtensionHeadersIsForNoneOfOurs) {
    EXPECT_EQ(
        verdict(rules_of({"table ip6 f {\n chain i {\n  type filter hook input priority 0;\n  rt "
                          "type 0 drop\n  frag more-fragments 1 drop\n  rt seg-left != 0 drop\n  "
                          "exthdr hbh exists drop\n  exthdr rt missing tcp dport 443 accept\n  "
                          "drop\n }\n}\n"}),
                "2400:cb00::1"),
        "admitted");
    EXPECT_EQ(verdict(rules_of({R"({"nftables": [
      {"table": {"family": "ip6", "name": "f", "handle": 1}},
      {"chain": {"family": "ip6", "table": "f", "name": "i", "handle": 1, "type": "filter", "hook":
        "input", "prio": 0, "policy": "accept"}},
      {"rule": {"family": "ip6", "table": "f", "chain": "i", "handle": 2, "expr": [
        {"match": {"op": "==", "left": {"exthdr": {"name": "rt", "field": "type"}}, "right": 0}},
        {"drop": null}]}},
      {"rule": {"family": "ip6", "table": "f", "chain": "i", "handle": 3, "expr": [
        {"match": {"op": "==", "left": {"exthdr": {"name": "frag"}}, "right": true}},
        {"drop": null}]}}]})"}),
                      "2400:cb00::1"),
              "admitted");
}

TEST(Nft, SaysWhereItIsWrong) {
    EXPECT_EQ(error_of("table inet f {\n  chain c {\n", "nft").substr(0, 9), "file:3:1:");
    EXPECT_EQ(error_of("tabel inet f {}\n", "nft"),
              "file:1:1: `tabel` where `table FAMILY NAME {` was expected");
    EXPECT_EQ(error_of("include \"x\"\n", "nft").substr(0, 9), "file:1:1:");
    EXPECT_EQ(
        error_of("table ip f {\n chain c {\n  type filter hook input priority nonsense;\n", "nft")
            .substr(0, 7),
        "file:3:");
    EXPECT_EQ(error_of("{\"nftables\": [}", "nft-json"), "file:1:15: this is no JSON");
    EXPECT_EQ(error_of("{\"nftables\": " + std::string(1'000'000, '['), "nft-json"),
              "file:1:213: nested deeper than nft writes it");
    EXPECT_EQ(error_of("{}", "nft-json"), "file:1:1: the JSON has no array `nftables`");
}

}  // namespace
}  // namespace edgecase::allowlist
