#include <gtest/gtest.h>

#include "allowlist/verdicts_for_tests.hpp"

namespace edgecase::allowlist {
namespace {

TEST(Modsecurity, RulesOfAFileThatApacheIncludesCount) {
    const auto rules =
        named({{"/etc/apache2/apache2.conf", "Require all granted\nInclude modsecurity.conf\n"},
               {"/etc/apache2/modsecurity.conf",
                "SecRuleEngine On\nSecRule REMOTE_ADDR \"@ipMatch 1.0.0.0/8\" "
                "\"id:1,phase:1,deny\"\n"}});
    EXPECT_EQ(verdict(rules, "1.1.1.1"), "rejected origin.status");
    EXPECT_EQ(verdict(rules, "2.1.1.1"), "admitted");
}

TEST(Modsecurity, ARuleOfAPartOfTheSiteIsNotForAllOfIt) {
    const auto within = [](const std::string& section, const std::string& end,
                           const std::string& actions = "deny") {
        return verdict(rules_of({"SecRuleEngine On\n<" + section +
                                 ">\nSecRule REMOTE_ADDR \"@ipMatch 1.0.0.0/8\" \"id:1,phase:1," +
                                 actions + "\"\n</" + end +
                                 ">\nSecRule REMOTE_ADDR \"!@ipMatch 9.0.0.0/8\" "
                                 "\"id:2,phase:1,deny\"\n"}),
                       "1.1.1.1");
    };
    EXPECT_EQ(within("Location /admin", "Location", "allow"), "rejected origin.status");
    EXPECT_EQ(within("LocationMatch ^/", "LocationMatch", "allow"), "admitted");
    EXPECT_EQ(within("LocationMatch (a|b)", "LocationMatch", "allow"), "unknown");
    EXPECT_EQ(within("Directory /srv/odd", "Directory", "allow"), "unknown");
    EXPECT_EQ(within("Files *.php", "Files", "allow"), "rejected origin.status");
    EXPECT_EQ(within("VirtualHost *:443", "VirtualHost", "allow"), "unknown");
    EXPECT_EQ(within("VirtualHost *:80", "VirtualHost", "allow"), "rejected origin.status");
    EXPECT_EQ(within("IfModule mod_foo.c", "IfModule", "allow"), "unknown");
    EXPECT_EQ(within("IfModule security2_module", "IfModule", "allow"), "admitted");
    const auto denies = [](const std::string& section, const std::string& end) {
        return verdict(
            rules_of({"SecRuleEngine On\n<" + section +
                      ">\nSecRule REMOTE_ADDR \"@ipMatch 1.0.0.0/8\" \"id:1,phase:1,deny\"\n</" +
                      end + ">\n"}),
            "1.1.1.1");
    };
    EXPECT_EQ(denies("Location /admin", "Location"), "admitted");
    EXPECT_EQ(denies("Location /", "Location"), "rejected origin.status");
    EXPECT_EQ(denies("VirtualHost *:443", "VirtualHost"), "unknown");
}

TEST(Modsecurity, AnEngineOfAPartOfTheSiteIsUnknown) {
    EXPECT_EQ(verdict(rules_of({"SecRuleEngine On\nSecRule REMOTE_ADDR \"@ipMatch 1.0.0.0/8\" "
                                "\"id:1,phase:1,deny\"\n<VirtualHost *:443>\nSecRuleEngine "
                                "Off\n</VirtualHost>\n"}),
                      "1.1.1.1"),
              "unknown");
    EXPECT_EQ(verdict(rules_of({"SecRuleEngine On\nSecRule REMOTE_ADDR \"@ipMatch 1.0.0.0/8\" "
                                "\"id:1,phase:1,deny\"\n<Location /admin>\nSecRuleEngine "
                                "Off\n</Location>\n"}),
                      "1.1.1.1"),
              "rejected origin.status");
}

TEST(Modsecurity, AddressRulesAreRead) {
    const auto rules =
        rules_of({"SecRuleEngine On\nSecRule REMOTE_ADDR \"@ipMatch 104.16.3.0/24,2400:cb00::1\" "
                  "\"id:1,phase:1,deny,status:406\"\nSecRule REMOTE_ADDR \"!@ipMatch "
                  "104.16.0.0/13\" \\\n    "
                  "\"id:2,phase:1,drop\"\nSecRule ARGS \"@rx x\" \"id:3,deny\"\n"});
    EXPECT_EQ(verdict(rules, "104.16.3.4"), "rejected origin.status");
    EXPECT_EQ(verdict(rules, "104.16.4.4"), "admitted");
    EXPECT_EQ(verdict(rules, "1.1.1.1"), "rejected resp.empty_fin");
    EXPECT_EQ(verdict(rules_of({"SecRule REMOTE_ADDR \"@ipMatchFromFile f\" \"id:1,deny\"\n"}),
                      "1.1.1.1"),
              "unknown");
    EXPECT_EQ(error_of("SecRule REMOTE_ADDR \"@ipMatch x\" \"id:1,deny\"\n", "modsecurity"),
              "file:1:1: `x` is no address");
}

TEST(Modsecurity, StandsBesideItsServersRules) {
    const std::string rule =
        "SecRuleEngine On\nSecRule REQUEST_URI \"@contains x\" \"id:9,phase:1,deny\"\n";
    EXPECT_EQ(
        verdict(rules_of({rule + "<Location />\nRequire ip 10.0.0.0/8\n</Location>\n"}), "1.1.1.1"),
        "rejected origin.status");
    EXPECT_EQ(verdict(rules_of({rule + "server {\n"}), "1.1.1.1"), "unknown");
}

TEST(Modsecurity, DefaultsAndTheEngineSwitchedOffCount) {
    const std::string begin = "SecRuleEngine On\nSecDefaultAction \"phase:1,deny,status:403\"\n";
    EXPECT_EQ(verdict(rules_of({begin + "SecRule REMOTE_ADDR \"@ipMatch 1.0.0.0/8\" "
                                        "\"id:1,phase:1\"\n"}),
                      "1.1.1.1"),
              "rejected origin.status");
    EXPECT_EQ(verdict(rules_of({"SecRule REMOTE_ADDR \"@ipMatch 1.0.0.0/8\" "
                                "\"id:1,phase:1,pass,ctl:ruleEngine=Off\"\nSecRule REMOTE_ADDR "
                                "\"!@ipMatch 10.0.0.0/8\" \"id:2,phase:1,deny\"\n"}),
                      "1.1.1.1"),
              "admitted");
}

}  // namespace
}  // namespace edgecase::allowlist
