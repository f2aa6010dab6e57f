#include "allowlist/gaps.hpp"

#include <gtest/gtest.h>

#include "allowlist/verdicts_for_tests.hpp"

namespace edgecase::allowlist {
namespace {

/// `STAGE: PORTS RANGES`, a line for each gap.
std::string gaps(const std::vector<std::string>& texts, std::string_view list = "104.16.0.0/13") {
    const Ruleset rules = rules_of(texts);
    const Published published{"", "", {*ip::Cidr::parse(list)}};
    std::string text;
    for (const Gap& gap : find_gaps(rules, published, {})) {
        text += rules.stages[gap.stage].name + (gap.is_told_by_state ? "" : " stateless") + ":";
        for (const uint16_t port : gap.ports) text += " " + std::to_string(port);
        for (const ip::Cidr& range : gap.ranges) text += " " + range.to_string();
        text += "\n";
    }
    return text;
}

TEST(Gaps, ADropOfTheReplyIsAGapOnTheWayOut) {
    EXPECT_EQ(gaps({"*filter\n:INPUT ACCEPT [0:0]\n:OUTPUT DROP [0:0]\nCOMMIT\n"}),
              "iptables filter OUTPUT: 80 443 104.16.0.0/13\n");
}

TEST(Gaps, ThereMayBeOneBehindAnother) {
    EXPECT_EQ(gaps({"*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT DROP [0:0]\n-A PREROUTING -p tcp "
                    "--dport 80 -j DROP\nCOMMIT\n*filter\n:INPUT DROP [0:0]\n:OUTPUT DROP "
                    "[0:0]\nCOMMIT\n"}),
              "iptables raw PREROUTING: 80 104.16.0.0/13\n"
              "iptables filter INPUT: 80 443 104.16.0.0/13\n"
              "iptables raw OUTPUT stateless: 80 443 104.16.0.0/13\n"
              "iptables filter OUTPUT: 80 443 104.16.0.0/13\n");
}

/// The reset that answers it cannot get out either, which nobody wants it to.
TEST(Gaps, ARejectionIsAGapOnTheWayInAlone) {
    EXPECT_EQ(gaps({"table inet f {\n chain i {\n type filter hook input priority 0;\n ip saddr "
                    "104.16.0.0/14 tcp dport 443 reject with tcp reset\n }\n chain o {\n type "
                    "filter hook output priority 0; policy drop;\n ct state established accept\n "
                    "}\n}\n"}),
              "nft inet f i: 443 104.16.0.0/13\n");
}

TEST(Gaps, ARateLimitIsOneAndWhatIsUnknownIsNone) {
    EXPECT_EQ(gaps({"*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp --dport 80 -m limit --limit 5/min "
                    "-j ACCEPT\n-A INPUT -m string --string x --algo bm -j ACCEPT\nCOMMIT\n"}),
              "");
    EXPECT_EQ(gaps({"*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp --dport 80 -m limit --limit 5/min "
                    "-j ACCEPT\n-A INPUT -p tcp --dport 443 -j ACCEPT\nCOMMIT\n"}),
              "iptables filter INPUT: 80 104.16.0.0/13\n");
}

TEST(Gaps, LaterPacketsHaveThemToo) {
    EXPECT_EQ(gaps({"*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp --syn -j ACCEPT\nCOMMIT\n"}),
              "iptables filter INPUT: 80 443 104.16.0.0/13\n");
}

}  // namespace
}  // namespace edgecase::allowlist
