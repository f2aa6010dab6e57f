#include <gtest/gtest.h>

#include "allowlist/verdicts_for_tests.hpp"

namespace edgecase::allowlist {
namespace {

const std::string kUfw =
    "Status: active\nLogging: on (low)\nDefault: deny (incoming), allow (outgoing), disabled "
    "(routed)\nNew "
    "profiles: skip\n\nTo                         Action      From\n--                         "
    "------      "
    "----\n";

TEST(Ufw, TheFirstRuleThatMatchesDecides) {
    const auto rules =
        rules_of({kUfw + "22/tcp                     ALLOW IN    Anywhere\n"
                         "Anywhere                   DENY IN     104.16.3.0/24\n"
                         "80,443/tcp                 ALLOW IN    104.16.0.0/13\n"
                         "443/udp                    ALLOW IN    9.9.9.9\n"
                         "443                        REJECT IN   7.0.0.0/8                  # no\n"
                         "443/tcp                    LIMIT IN    6.0.0.0/8\n"
                         "Nginx HTTPS (v6)           ALLOW IN    Anywhere (v6)\n"
                         "443/tcp                    ALLOW OUT   Anywhere\n"
                         "443/tcp on eth1            ALLOW IN    5.0.0.0/8\n"});
    EXPECT_EQ(verdict(rules, "104.16.4.1"), "admitted");
    EXPECT_EQ(verdict(rules, "104.16.3.1"), "dropped");
    EXPECT_EQ(verdict(rules, "104.16.4.1", 8080), "dropped");
    EXPECT_EQ(verdict(rules, "9.9.9.9"), "dropped");
    EXPECT_EQ(verdict(rules, "7.1.1.1"), "rejected connect.rejected");
    EXPECT_EQ(verdict(rules, "6.1.1.1"), "rate_limited");
    EXPECT_EQ(verdict(rules, "5.1.1.1"), "unknown");
    EXPECT_EQ(verdict(rules, "2400:cb00::1"), "admitted");
    EXPECT_EQ(verdict(rules, "2400:cb00::1", 80), "dropped");
}

TEST(Ufw, ACommentIsNoColumn) {
    EXPECT_EQ(verdict(rules_of({"Status: active\nDefault: allow (incoming)\n443/tcp    DENY IN   "
                                "104.16.0.0/13    # was ALLOW before\n"}),
                      "104.16.4.1"),
              "dropped");
}

TEST(Ufw, NumberedHasNoDefault) {
    const auto rules =
        rules_of({"Status: active\n\n     To                         Action      From\n     --     "
                  "                    "
                  "------      ----\n[ 1] 443/tcp                    ALLOW IN    104.16.0.0/13\n"});
    EXPECT_EQ(verdict(rules, "104.16.4.1"), "admitted");
    EXPECT_EQ(verdict(rules, "1.1.1.1"), "unknown");
    EXPECT_EQ(verdict(rules_of({"Status: inactive\n"}), "1.1.1.1"), "admitted");
    EXPECT_EQ(error_of("nothing\n", "ufw"), "file:1:1: `Status: active` was expected");
}

TEST(Ufw, UserRulesAreRead) {
    const auto rules = rules_of(
        {"*filter\n:ufw-user-input - [0:0]\n### tuple ###\n-A ufw-user-input -p tcp --dport 443 -s "
         "104.16.0.0/13 -j ACCEPT\nCOMMIT\n"});
    EXPECT_EQ(verdict(rules, "104.16.4.1"), "admitted");
    EXPECT_EQ(verdict(rules, "1.1.1.1"), "unknown");
}

std::string zone(const std::string& more, const std::string& target = "default") {
    return "public (active)\n  target: " + target +
           "\n  icmp-block-inversion: no\n  interfaces: \n  sources: \n" + more;
}

TEST(Firewalld, ServicesPortsAndTargetsCount) {
    const auto rules =
        rules_of({zone("  services: dhcpv6-client https ssh\n  ports: 8080/tcp 9000-9010/tcp "
                       "53/udp\n  rich rules: \n")});
    EXPECT_EQ(verdict(rules, "1.1.1.1", 443), "admitted");
    EXPECT_EQ(verdict(rules, "1.1.1.1", 9005), "admitted");
    EXPECT_EQ(verdict(rules, "1.1.1.1", 80), "rejected connect.prohibited");
    EXPECT_EQ(verdict(rules_of({zone("  services: \n", "DROP")}), "1.1.1.1"), "dropped");
    EXPECT_EQ(verdict(rules_of({zone("  services: \n", "ACCEPT")}), "1.1.1.1"), "admitted");
    EXPECT_EQ(verdict(rules_of({zone("  services: my-app\n")}), "1.1.1.1"), "unknown");
}

TEST(Firewalld, RichRulesCountAndDenialsComeFirst) {
    const auto rules =
        rules_of({zone("  services: \n  rich rules: \n\trule family=\"ipv4\" source "
                       "address=\"104.16.0.0/13\" port "
                       "port=\"443\" protocol=\"tcp\" accept\n\trule family=\"ipv4\" source "
                       "address=\"104.16.3.0/24\" "
                       "reject type=\"tcp-reset\"\n\trule family=\"ipv6\" source NOT "
                       "address=\"2400:cb00::/32\" drop\n\trule "
                       "family=\"ipv6\" service name=\"https\" accept limit value=\"10/m\"\n\trule "
                       "port port=\"443\" "
                       "protocol=\"udp\" accept\n")});
    EXPECT_EQ(verdict(rules, "104.16.4.1"), "admitted");
    EXPECT_EQ(verdict(rules, "104.16.3.1"), "rejected connect.refused");
    EXPECT_EQ(verdict(rules, "1.1.1.1"), "rejected connect.prohibited");
    EXPECT_EQ(verdict(rules, "2600::1"), "dropped");
    EXPECT_EQ(verdict(rules, "2400:cb00::1"), "rate_limited");
}

TEST(Firewalld, ZonesBySourceComeFirst) {
    const auto rules =
        rules_of({"block\n  target: DROP\n  services: \n\nedge (active)\n  target: default\n  "
                  "interfaces: \n  sources: "
                  "104.16.0.0/13\n  services: https\n\npublic (active)\n  target: DROP\n  "
                  "interfaces: eth0\n  sources: "
                  "\n  services: ssh\n"});
    EXPECT_EQ(verdict(rules, "104.16.4.1"), "admitted");
    EXPECT_EQ(verdict(rules, "1.1.1.1", 443, "eth0"), "dropped");
    EXPECT_EQ(verdict(rules, "1.1.1.1"), "unknown");
    EXPECT_EQ(error_of("\n", "firewalld"), "file:1:1: no zone such as `public (active)` in it");
}

TEST(Firewalld, PrioritiesOfRichRulesCount) {
    const auto rules =
        rules_of({zone("  services: https\n  rich rules: \n\trule priority=\"-100\" "
                       "family=\"ipv4\" source address=\"104.16.0.0/13\" accept\n\trule "
                       "priority=\"32767\" family=\"ipv4\" drop\n\trule family=\"ipv4\" source "
                       "address=\"104.16.0.0/12\" reject\n")});
    EXPECT_EQ(verdict(rules, "104.16.4.1", 80), "admitted");
    EXPECT_EQ(verdict(rules, "104.24.4.1"), "rejected connect.rejected");
    EXPECT_EQ(verdict(rules, "1.1.1.1"), "admitted");
    EXPECT_EQ(verdict(rules, "1.1.1.1", 80), "dropped");
}

TEST(Firewalld, AZoneOfOneInterfaceIsNotForAll) {
    EXPECT_EQ(verdict(rules_of({"internal (active)\n  target: ACCEPT\n  interfaces: eth1\n  "
                                "sources: \n  services: ssh\n"}),
                      "1.1.1.1"),
              "unknown");
}

TEST(Firewalld, APublicZoneOfAnotherInterfaceIsUnknown) {
    const auto bound = [](const std::string& header) {
        return rules_of({header +
                         "\n  target: default\n  interfaces: eth1\n  sources: \n  services: "
                         "https\n"});
    };
    for (const char* const header : {"public (active)", "public (default, active)"}) {
        EXPECT_EQ(verdict(bound(header), "1.1.1.1", 443, "eth0"), "unknown") << header;
        EXPECT_EQ(verdict(bound(header), "1.1.1.1"), "unknown") << header;
        EXPECT_EQ(verdict(bound(header), "1.1.1.1", 443, "eth1"), "admitted") << header;
    }
}

TEST(Firewalld, WhereAllZonesAreListedTheDefaultOneHasTheRest) {
    const auto all = [](const std::string& header) {
        const std::string body = "\n  target: default\n  interfaces: \n  services: \n\n";
        return rules_of({"block" + body + header +
                         "\n  target: default\n  interfaces: eth1\n  services: https\n\ntrusted" +
                         body});
    };
    EXPECT_EQ(verdict(all("public (default, active)"), "1.1.1.1", 443, "eth0"), "admitted");
    EXPECT_EQ(verdict(all("public (default, active)"), "1.1.1.1"), "admitted");
    EXPECT_EQ(verdict(all("public (active)"), "1.1.1.1", 443, "eth0"), "unknown");
}

TEST(Firewalld, AZoneThatIsNobodysIsUnknown) {
    const auto idle = [](const std::string& name) {
        return rules_of({name + "\n  target: ACCEPT\n  interfaces: \n  sources: \n  services: \n"});
    };
    EXPECT_EQ(verdict(idle("trusted"), "1.1.1.1"), "unknown");
    EXPECT_EQ(verdict(idle("home (default)"), "1.1.1.1"), "admitted");
}

TEST(Firewalld, ASourcePortIsNoPort) {
    EXPECT_EQ(verdict(rules_of({zone("  services: \n  source-ports: 1024-65535/tcp\n")}), "1.1.1.1",
                      443, "eth0"),
              "admitted");
    EXPECT_EQ(verdict(rules_of({zone("  services: \n  source-ports: 2000/tcp\n")}), "1.1.1.1", 443,
                      "eth0"),
              "unknown");
    EXPECT_EQ(verdict(rules_of({zone("  services: \n  rich rules: \n\trule family=\"ipv4\" "
                                     "source-port port=\"443\" protocol=\"tcp\" accept\n")}),
                      "1.1.1.1", 443, "eth0"),
              "rejected connect.prohibited");
}

Ruleset zone_files(const std::vector<std::pair<std::string, std::string>>& files) {
    std::vector<Source> sources;
    for (const auto& [name, text] : files) sources.push_back({"/etc/firewalld/" + name, text});
    auto rules = read_rules(std::move(sources), "");
    if (!rules) ADD_FAILURE() << rules.error().to_string();
    return rules ? std::move(*rules) : Ruleset();
}

TEST(Firewalld, ZonesAreReadFromTheirFiles) {
    const auto rules = zone_files(
        {{"zones/public.xml",
          "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<zone>\n  <short>Public</short>\n"
          "  <service name=\"ssh\"/>\n  <port port=\"8443\" protocol=\"tcp\"/>\n"
          "  <rule family=\"ipv4\">\n    <source address=\"104.16.0.0/13\"/>\n"
          "    <service name=\"https\"/>\n    <accept/>\n  </rule>\n"
          "  <rule family=\"ipv4\">\n    <source address=\"104.16.3.0/24\"/>\n"
          "    <reject type=\"tcp-reset\"/>\n  </rule>\n"
          "  <rule family=\"ipv6\"><source address=\"2400:cb00::/32\" invert=\"True\"/>"
          "<drop/></rule>\n"
          "  <rule family=\"ipv6\"><service name=\"https\"/><accept><limit value=\"10/m\"/>"
          "</accept></rule>\n</zone>\n"}});
    EXPECT_EQ(verdict(rules, "104.16.4.1"), "admitted");
    EXPECT_EQ(verdict(rules, "104.16.3.1"), "rejected connect.refused");
    EXPECT_EQ(verdict(rules, "1.1.1.1"), "rejected connect.prohibited");
    EXPECT_EQ(verdict(rules, "1.1.1.1", 8443), "admitted");
    EXPECT_EQ(verdict(rules, "2600::1"), "dropped");
    EXPECT_EQ(verdict(rules, "2400:cb00::1"), "rate_limited");
    const Stage& stage = rules.stages.at(0);
    EXPECT_EQ(rules.chains[stage.chain].rules.at(0).place.line, 2U);
}

TEST(Firewalld, FilesOfZonesAreOneFirewall) {
    const std::string open = "<zone target=\"ACCEPT\"><source address=\"104.16.0.0/13\"/></zone>";
    const std::string shut = "<zone target=\"DROP\"></zone>";
    const std::string bound = "<zone target=\"ACCEPT\"><interface name=\"eth1\"/></zone>";
    const auto by_source = zone_files({{"zones/edge.xml", open}, {"zones/public.xml", shut}});
    EXPECT_EQ(verdict(by_source, "104.16.4.1"), "admitted");
    EXPECT_EQ(verdict(by_source, "1.1.1.1"), "dropped");
    const auto by_interface = zone_files({{"zones/lan.xml", bound}, {"zones/public.xml", shut}});
    EXPECT_EQ(verdict(by_interface, "1.1.1.1", 443, "eth1"), "admitted");
    EXPECT_EQ(verdict(by_interface, "1.1.1.1", 443, "eth0"), "dropped");
    EXPECT_EQ(verdict(by_interface, "1.1.1.1"), "unknown");
    const auto other = zone_files({{"zones/public.xml", "<zone target=\"ACCEPT\"/>"},
                                   {"zones/mine.xml", shut},
                                   {"firewalld.conf", "# x\nDefaultZone=mine\n"}});
    EXPECT_EQ(verdict(other, "1.1.1.1"), "unknown");  // a program may put eth0 into public
    const auto alone =
        zone_files({{"zones/mine.xml", shut}, {"firewalld.conf", "# x\nDefaultZone=mine\n"}});
    EXPECT_EQ(verdict(alone, "1.1.1.1"), "dropped");
    EXPECT_EQ(verdict(zone_files({{"zones/mine.xml", "<zone target=\"ACCEPT\"/>"}}), "1.1.1.1"),
              "unknown");
}

TEST(Firewalld, SaysWhereAFileOfAZoneIsWrong) {
    EXPECT_EQ(error_of("<zone>\n  <service name=\"ssh\"\n</zone>\n", "firewalld").substr(0, 7),
              "file:3:");
    EXPECT_EQ(error_of("<zone>\n  <surprise/>\n</zone>\n", "firewalld-xml"),
              "file:2:4: `<surprise>` is not known in a zone");
    EXPECT_EQ(error_of("<ipset/>", "firewalld-xml"), "file:1:1: no DefaultZone in it");
}

TEST(Fail2ban, BannedAddressesAreRejected) {
    const auto jail = [](const char* name) {
        return std::string("Status for the jail: ") + name +
               "\n|- Filter\n|  |- Currently failed: 0\n|  `- File list: /x\n`- Actions\n   |- "
               "Currently "
               "banned: 2\n   |- Total banned: 9\n   `- Banned IP list: 104.16.3.4 2400:cb00::7\n";
    };
    const auto rules = rules_of({jail("nginx-limit-req")});
    EXPECT_EQ(verdict(rules, "104.16.3.4"), "rejected connect.rejected");
    EXPECT_EQ(verdict(rules, "2400:cb00::7"), "rejected connect.rejected");
    EXPECT_EQ(verdict(rules, "104.16.3.5"), "admitted");
    EXPECT_EQ(verdict(rules_of({jail("sshd")}), "104.16.3.4"), "admitted");
    EXPECT_EQ(verdict(rules_of({jail("mine")}), "104.16.3.4"), "unknown");
    EXPECT_EQ(error_of("Status\n|- Number of jail: 1\n", "fail2ban").substr(0, 9), "file:1:1:");
    EXPECT_EQ(error_of("  `- Banned IP list: nobody\n", "fail2ban"),
              "file:1:22: `nobody` is no address");
}

/// Words lose their quotes, and so are not in the line as they are.
TEST(Fail2ban, AWordWithQuotesThatIsNoAddressHasItsPlace) {
    EXPECT_EQ(
        error_of("Status for the jail: nginx-x\n`- Banned IP list: 1.2.3.4 a\"b\"\n", "fail2ban"),
        "file:2:19: `ab` is no address");
    EXPECT_EQ(error_of("Status for the jail: list\n`- Banned IP list: 1.2.3.4 list\n", "fail2ban"),
              "file:2:28: `list` is no address");
}

}  // namespace
}  // namespace edgecase::allowlist
