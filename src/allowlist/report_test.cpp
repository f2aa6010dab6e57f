#include "allowlist/report.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "allowlist/verdicts_for_tests.hpp"

namespace edgecase::allowlist {
namespace {

ip::AddressSet sum(const Row& row) {
    return row.admitted.unite(row.dropped)
        .unite(row.rejected)
        .unite(row.rate_limited)
        .unite(row.unknown);
}

TEST(Published, AListOfTooMuchOrCutOffIsNone) {
    Published list;
    for (int i = 0; i < 8; ++i) {
        list.ranges.push_back(*ip::Cidr::parse(std::to_string(20 + i) + ".0.0.0/8"));
    }
    EXPECT_EQ(objection_to(list.ranges[0]), "");
    EXPECT_EQ(objection_to(list), "its ranges of IPv4 are more than any edge has");
    EXPECT_EQ(objection_to(built_in()), "");
    EXPECT_EQ(parse_published({"f", "173.245.48.0/20\n104.16.0.0"}).error().to_string(),
              "f:2:1: `104.16.0.0` has no prefix length");
}

TEST(Published, HasFifteenAndSevenRanges) {
    const Published list = built_in();
    EXPECT_EQ(list.ranges.size(), 22U);
    EXPECT_EQ(std::ranges::count(list.ranges, ip::Family::v4, &ip::Cidr::family), 15);
    EXPECT_EQ(list.date, "2026-11");
    for (const ip::Cidr& range : list.ranges) EXPECT_EQ(objection_to(range), "");
}

TEST(Published, IsReadInBothForms) {
    const auto text =
        parse_published({"f", "# edge\n104.16.0.0/13\r\n\n2400:cb00::/32 # six\n104.16.0.0/13"});
    ASSERT_TRUE(text) << text.error().to_string();
    EXPECT_EQ(text->ranges.size(), 2U);
    const auto json = parse_published(
        {"f",
         R"({"result": {"etag": "x", "ipv4_cidrs": ["104.16.0.0/13"], "ipv6_cidrs": ["2400:cb00::/32"]},
                 "success": true, "errors": [], "messages": []})"});
    ASSERT_TRUE(json) << json.error().to_string();
    EXPECT_EQ(json->ranges, text->ranges);
}

TEST(Published, RefusesWhatIsNoList) {
    const auto error = [](const char* text) {
        return parse_published({"f", text}).error().to_string();
    };
    EXPECT_EQ(error(""), "f: there is no range in it");
    EXPECT_EQ(error("104.16.0.0/13\n  nonsense\n"), "f:2:3: `nonsense` is no range");
    EXPECT_EQ(error("104.16.0.1/13\n"),
              "f:1:1: `104.16.0.1/13` has bits behind its prefix; 104.16.0.0/13 may be meant");
    EXPECT_EQ(error("<html>"), "f:1:1: this is a page of HTML or XML, no list");
    EXPECT_EQ(error("{\"result\": 1}"), "f: the JSON has no `result` as the API's answer has");
    EXPECT_EQ(error("{\"result\": {\"ipv4_cidrs\": []}}"), "f: the JSON has no `ipv6_cidrs`");
    EXPECT_EQ(error("{\"success\": false, \"result\": {}}"),
              "f: the API's answer says that it failed");
    EXPECT_EQ(error("{"), "f:1:2: this is no JSON");
}

TEST(Published, BroadAndPrivateRangesAreObjectedTo) {
    for (const char* text : {"0.0.0.0/0", "10.1.0.0/16", "104.0.0.0/7", "::/0", "fd00::/8",
                             "127.0.0.1/32", "2001:db8::/48", "4000::/20", "224.0.0.0/8"}) {
        EXPECT_NE(objection_to(*ip::Cidr::parse(text)), "") << text;
    }
}

TEST(Report, ASetOfATypeThatIsNotModelledIsNotSaidToBeAbsent) {
    const auto why = [](const std::string& set) {
        const auto rules =
            rules_of({set,
                      "*filter\n:INPUT DROP [0:0]\n-A INPUT -m set --match-set s src "
                      "-j ACCEPT\nCOMMIT\n"});
        CheckOptions options;
        options.ports = {443};
        const Report report = check(rules, built_in(), options);
        return report.rows.at(0).decided_by.at(0).why;
    };
    EXPECT_EQ(why("create s hash:mac\nadd s 00:11:22:33:44:55\n"),
              "its set has what is not modelled: type hash:mac");
    EXPECT_EQ(why("create s hash:ip netmask 24\nadd s 1.1.1.0\n"),
              "its set has what is not modelled: elements with a netmask");
    EXPECT_EQ(why("create t hash:ip\n"), "its set is in none of the files");
}

TEST(Report, RangesWithinEachOtherAreFound) {
    Published list;
    for (const char* const one :
         {"1.0.0.0/8", "1.1.0.0/16", "1.1.1.0/24", "1.1.2.0/24", "1.1.2.0/24", "3.0.0.0/8"}) {
        list.ranges.push_back(*ip::Cidr::parse(one));
    }
    const auto rules =
        rules_of({"*filter\n:INPUT DROP [0:0]\n-A INPUT -s 1.1.2.128/25 -j "
                  "ACCEPT\n-A INPUT -s 2.0.0.0/8 -j ACCEPT\nCOMMIT\n"});
    CheckOptions options;
    options.ports = {443};
    const Report report = check(rules, list, options);
    std::vector<size_t> lines;
    for (const Row& row : report.rows) {
        lines.push_back(
            static_cast<size_t>(std::ranges::count(row.decided_by, 3U, &DecidedBy::line)));
        EXPECT_EQ(std::ranges::count(row.decided_by, 2U, &DecidedBy::line), 1)
            << row.range.to_string();
    }
    EXPECT_EQ(lines, (std::vector<size_t>{1, 1, 0, 1, 1, 0}));
}

TEST(Report, EachRowAddsUpAndNamesItsRules) {
    const auto rules =
        rules_of({"table inet f {\n chain i {\n  type filter hook input priority 0; policy drop;\n "
                  " ip saddr "
                  "104.16.0.0/14 accept\n  ip saddr 104.20.0.0/16 reject\n  ip saddr 104.21.0.0/16 "
                  "limit rate "
                  "1/second accept\n  ip saddr 104.22.0.0/16 meta skuid 0 accept\n }\n}\n"});
    const Report report = check(rules, built_in(), {});
    ASSERT_EQ(report.rows.size(), 44U);
    EXPECT_FALSE(report.is_clear());
    for (const Row& row : report.rows) {
        EXPECT_EQ(sum(row), ip::AddressSet(row.range)) << row.range.to_string();
        const double parts = size_of(row.admitted) + size_of(row.dropped) + size_of(row.rejected) +
                             size_of(row.rate_limited) + size_of(row.unknown);
        EXPECT_DOUBLE_EQ(parts, size_of(ip::AddressSet(row.range)));
        EXPECT_FALSE(row.decided_by.empty());
    }
    const auto row = std::ranges::find(report.rows, *ip::Cidr::parse("104.16.0.0/13"), &Row::range);
    EXPECT_EQ(row->admitted.cidrs()[0].to_string(), "104.16.0.0/14");
    EXPECT_EQ(row->rejected.cidrs()[0].to_string(), "104.20.0.0/16");
    EXPECT_EQ(row->rate_limited.cidrs()[0].to_string(), "104.21.0.0/16");
    EXPECT_EQ(row->unknown.cidrs()[0].to_string(), "104.22.0.0/16");
    EXPECT_EQ(row->dropped.cidrs()[0].to_string(), "104.23.0.0/16");
    std::map<Outcome, uint32_t> lines;
    for (const DecidedBy& decided : row->decided_by) lines.emplace(decided.outcome, decided.line);
    EXPECT_EQ(lines[Outcome::admitted], 4U);
    EXPECT_EQ(lines[Outcome::rejected], 5U);
    EXPECT_EQ(lines[Outcome::limited], 6U);
    EXPECT_EQ(lines[Outcome::doubted], 7U);
    EXPECT_EQ(lines[Outcome::dropped], 3U);
}

TEST(Report, AFamilyNoFileSpeaksOfIsUnknown) {
    const Report report =
        check(rules_of({"# Generated by iptables-save\n*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n"}),
              built_in(), {});
    for (const Row& row : report.rows) {
        EXPECT_EQ(row.is_admitted(), row.range.family == ip::Family::v4);
        EXPECT_EQ(row.unknown.empty(), row.range.family == ip::Family::v4);
    }
}

TEST(Report, OldListsAreTold) {
    std::string elements;
    for (const ip::Cidr& range : built_in().ranges) {
        const std::string text = range.to_string();
        if (range.family == ip::Family::v6 || text == "104.16.0.0/13" || text == "104.24.0.0/14" ||
            text == "131.0.72.0/22") {
            continue;
        }
        elements += text + ", ";
    }
    const auto with = [&](const std::string& more) {
        return check(
                   rules_of(
                       {"table ip f {\n set cf {\n  type ipv4_addr\n  elements = { " + elements +
                        more +
                        " }\n }\n chain i {\n type filter hook input priority 0; policy drop;\n ip "
                        "saddr @cf accept\n }\n}\n"}),
                   built_in(), {})
            .stale;
    };
    const auto old = with("104.16.0.0/12, 199.27.128.0/21");
    ASSERT_EQ(old.size(), 1U);
    EXPECT_EQ(old[0].line, 2U);
    ASSERT_EQ(old[0].missing.size(), 1U);
    EXPECT_EQ(old[0].missing[0].to_string(), "131.0.72.0/22");
    ASSERT_EQ(old[0].retired.size(), 2U);
    EXPECT_EQ(old[0].retired[0].to_string(), "104.28.0.0/14");
    EXPECT_EQ(old[0].retired[1].to_string(), "199.27.128.0/21");
    EXPECT_TRUE(with("104.16.0.0/13, 104.24.0.0/14, 131.0.72.0/22, 9.9.9.9").empty());
    EXPECT_TRUE(with("0.0.0.0/1").empty());
}

TEST(Report, AHundredThousandRulesTakeNoSquareOfTheirNumber) {
    std::string text = "*filter\n:INPUT DROP [0:0]\n";
    for (int i = 0; i < 100'000; ++i) {
        text += "-A INPUT -s 104." + std::to_string(16 + i / 65536) + "." +
                std::to_string(i / 256 % 256) + "." + std::to_string(i % 256) +
                "/32 -p tcp -m tcp --dport 443 -j " + (i % 2 == 0 ? "ACCEPT\n" : "REJECT\n");
    }
    const Report report = check(rules_of({text + "COMMIT\n"}), built_in(), {});
    const auto row = std::ranges::find_if(report.rows, [](const Row& one) {
        return one.port == 443 && one.range.to_string() == "104.16.0.0/13";
    });
    EXPECT_EQ(size_of(row->admitted), 50'000);
    EXPECT_EQ(size_of(row->rejected), 50'000);
    EXPECT_EQ(row->decided_by.size() + row->more_deciders, 100'001U);
}

}  // namespace
}  // namespace edgecase::allowlist
