#include <gtest/gtest.h>

#include "allowlist/verdicts_for_tests.hpp"

namespace edgecase::allowlist {
namespace {

TEST(Nginx, TheFirstRuleThatMatchesDecides) {
    const auto rules =
        rules_of({"allow 104.16.3.4;\ndeny 104.16.3.0/24;\nallow 104.16.0.0/13; # edge\nallow "
                  "2400:cb00::/32;\ndeny all;\n"});
    EXPECT_EQ(verdict(rules, "104.16.3.4"), "admitted");
    EXPECT_EQ(verdict(rules, "104.16.3.5"), "rejected origin.status");
    EXPECT_EQ(verdict(rules, "104.16.4.5"), "admitted");
    EXPECT_EQ(verdict(rules, "2400:cb00::1"), "admitted");
    EXPECT_EQ(verdict(rules, "2600::1"), "rejected origin.status");
    EXPECT_EQ(verdict(rules_of({"allow 1.0.0.0/8;\n"}), "2.0.0.0"), "admitted");
}

TEST(Nginx, AnInnerLevelReplacesAnOuterOne) {
    const auto rules = rules_of(
        {"http {\n  deny 104.16.0.0/16;\n  server { listen 80; }\n  server {\n    listen 443 "
         "ssl;\n    listen "
         "[::]:443 ssl;\n    deny 104.17.0.0/16;\n    location /admin { deny all; }\n  }\n}\n"});
    EXPECT_EQ(verdict(rules, "104.16.0.1", 80), "rejected origin.status");
    EXPECT_EQ(verdict(rules, "104.17.0.1", 80), "admitted");
    EXPECT_EQ(verdict(rules, "104.16.0.1", 443), "admitted");
    EXPECT_EQ(verdict(rules, "104.17.0.1", 443), "rejected origin.status");
    ASSERT_EQ(rules.notes.size(), 1U);
    EXPECT_NE(rules.notes[0].find("location /admin"), std::string::npos);
    const auto site =
        rules_of({"server {\n listen 443;\n deny all;\n location / { allow 1.0.0.0/8; deny all; "
                  "}\n}\n"});
    EXPECT_EQ(verdict(site, "1.1.1.1"), "admitted");
    EXPECT_EQ(verdict(site, "2.1.1.1"), "rejected origin.status");
}

TEST(Nginx, WhatIsNotFollowedIsUnknown) {
    const auto in_server = [](const std::string& text) {
        return rules_of({"server {\n listen 443;\n" + text + "\n}\n"});
    };
    EXPECT_EQ(verdict(in_server("return 444;"), "1.1.1.1"), "rejected resp.empty_fin");
    EXPECT_EQ(verdict(in_server("if ($blocked) { return 444; }"), "1.1.1.1"), "unknown");
    EXPECT_EQ(verdict(in_server("if ($host = x) { return 301 https://y; }"), "1.1.1.1"),
              "admitted");
    EXPECT_EQ(verdict(in_server("include /etc/nginx/edge.conf; deny all;"), "1.1.1.1"), "unknown");
    EXPECT_EQ(verdict(in_server("include mime.types;"), "1.1.1.1"), "admitted");
    EXPECT_EQ(
        verdict(in_server("set_real_ip_from 1.0.0.0/8; allow 1.0.0.0/8; deny all;"), "1.1.1.1"),
        "unknown");
    EXPECT_EQ(verdict(in_server("satisfy any; deny all;"), "1.1.1.1"), "unknown");
}

TEST(Nginx, IncludesOfAWholeListingAreFollowed) {
    const auto rules =
        rules_of({"# configuration file /etc/nginx/nginx.conf:\nhttp {\n  include "
                  "/etc/nginx/sites/*.conf;\n}\n\n# "
                  "configuration file /etc/nginx/sites/a.conf:\nserver {\n  listen 443;\n  include "
                  "edge.list;\n}\n\n# "
                  "configuration file /etc/nginx/edge.list:\nallow 1.0.0.0/8;\ndeny all;\n"});
    EXPECT_EQ(verdict(rules, "1.1.1.1"), "admitted");
    EXPECT_EQ(verdict(rules, "2.1.1.1"), "rejected origin.status");
}

TEST(Nginx, WhatStandsBehindAServerCountsForIt) {
    const auto behind =
        rules_of({"http {\n server { listen 443; location / { root /x; } }\n deny "
                  "all;\n}\n"});
    EXPECT_EQ(verdict(behind, "1.1.1.1"), "rejected origin.status");
    const auto trusted = rules_of(
        {"http {\n server { listen 443; }\n set_real_ip_from 1.0.0.0/8; allow 1.0.0.0/8; deny "
         "all;\n}\n"});
    EXPECT_EQ(verdict(trusted, "1.1.1.1"), "unknown");
    EXPECT_EQ(
        verdict(rules_of({"server { listen 443; location ^~ / { deny all; } }\n"}), "1.1.1.1"),
        "rejected origin.status");
    // A return comes before any access list.
    EXPECT_EQ(verdict(rules_of({"server { listen 443; return 444; location / { allow all; } }\n"}),
                      "1.1.1.1"),
              "rejected resp.empty_fin");
    EXPECT_EQ(
        verdict(rules_of({"http { map $x $y { allow 1; deny 2; } server { listen 443; } }\n"}),
                "1.1.1.1"),
        "admitted");
}

TEST(Nginx, ServersOfOnePortAreAlternatives) {
    const std::string catch_all = "server { listen 443 default_server; return 444; }\n";
    const auto rest = rules_of({catch_all + "server { listen 443; server_name a; }\n"});
    EXPECT_EQ(verdict(rest, "1.1.1.1"), "admitted");
    EXPECT_EQ(rest.notes.size(), 1U);
    // Nobody else listens on the other address.
    EXPECT_EQ(verdict(rules_of({"server { listen [::]:443 default_server; return 444; }\nserver { "
                                "listen 443; server_name a; }\n"}),
                      "1.1.1.1"),
              "unknown");
    const auto two =
        rules_of({"server { listen 443; server_name a; deny 1.0.0.0/8; }\nserver { "
                  "listen 443; server_name b; deny 1.1.0.0/16; }\n"});
    EXPECT_EQ(verdict(two, "1.1.1.1"), "rejected origin.status");
    EXPECT_EQ(verdict(two, "1.2.1.1"), "unknown");
    EXPECT_EQ(verdict(two, "2.2.1.1"), "admitted");
    EXPECT_EQ(two.notes.size(), 1U);
}

TEST(Nginx, AnIncludeThatIsNotGivenMayTurnAway) {
    const auto in_server = [](const std::string& text) {
        return rules_of({"server {\n listen 443;\n" + text + "\n}\n"});
    };
    for (const char* const text :
         {"allow all; include site.inc;", "include site.inc; allow all;",
          "location / { allow all; include site.inc; }",
          "include site.inc; location / { allow all; }", "deny all; include site.inc;",
          "if ($bad) { include site.inc; }", "include sites-ssl/*.conf;"}) {
        EXPECT_EQ(verdict(in_server(text), "1.1.1.1"), "unknown") << text;
    }
    for (const char* const text :
         {"location /x { include site.inc; }", "allow all; include snippets/fastcgi-php.conf;",
          "include /etc/letsencrypt/options-ssl-nginx.conf;", "include snippets/ssl-params.conf;",
          "include proxy_params;", "location ~ \\.php$ { include fastcgi_params; }"}) {
        EXPECT_EQ(verdict(in_server(text), "1.1.1.1"), "admitted") << text;
    }
    // A return comes before whatever stands behind it.
    EXPECT_EQ(verdict(in_server("return 444; include site.inc;"), "1.1.1.1"),
              "rejected resp.empty_fin");
}

TEST(Nginx, AnIncludeThatIsNotGivenMayHaveServers) {
    const auto beside = [](const std::string& text) {
        return rules_of(
            {"http {\n" + text + "\nserver { listen 443; location / { allow all; } }\n}\n"});
    };
    for (const char* const text : {"include conf.d/*.conf;", "include sites-enabled/*;"}) {
        EXPECT_EQ(verdict(beside(text), "1.1.1.1", 443), "unknown") << text;
        EXPECT_EQ(verdict(beside(text), "1.1.1.1", 8443), "unknown") << text;
    }
    EXPECT_EQ(verdict(beside("include mime.types;"), "1.1.1.1"), "admitted");
    EXPECT_EQ(
        verdict(rules_of({"include modules-enabled/*.conf;\nhttp { server { listen 443; } }\n"}),
                "1.1.1.1"),
        "admitted");
    EXPECT_EQ(
        verdict(rules_of({"include other.conf;\nhttp { server { listen 443; } }\n"}), "1.1.1.1"),
        "unknown");
    // What a server listens on may be among what it includes.
    const auto open = rules_of({"server { listen 80; include tls.inc; }\n"});
    EXPECT_EQ(verdict(open, "1.1.1.1", 443), "unknown");
    EXPECT_EQ(verdict(rules_of({"upstream u { include servers.inc; }\nserver { listen 443; }\n"}),
                      "1.1.1.1"),
              "admitted");
}

TEST(Nginx, SaysWhereItIsWrong) {
    EXPECT_EQ(error_of("server {\n  deny nobody;\n}\n", "nginx"),
              "file:2:8: `nobody` is no address");
    EXPECT_EQ(error_of("server {\n", "nginx"), "file: a `}` is missing at the end");
    EXPECT_EQ(error_of("deny all\n", "nginx"), "file:1:6: `;` is missing behind this directive");
    EXPECT_EQ(error_of("}\n", "nginx"), "file:1:1: a `}` too many");
    EXPECT_EQ(error_of("# nothing\n", "nginx"), "file:1:1: no directive of nginx in it");
}

TEST(Nginx, AnIncludeIsFollowedAmongTheFilesThatAreGiven) {
    const Source main{"/etc/nginx/nginx.conf",
                      "http {\n  include mime.types;\n  include sites-enabled/*;\n}\n"};
    const Source site{"/etc/nginx/sites-enabled/site",
                      "server {\n  listen 443;\n  include snippets/edge.conf;\n}\n"};
    const Source edge{"/etc/nginx/snippets/edge.conf", "allow 1.0.0.0/8;\ndeny all;\n"};
    for (const auto& sources : {std::vector{main, site, edge}, std::vector{edge, site, main}}) {
        const auto rules = named(sources);
        EXPECT_EQ(verdict(rules, "1.1.1.1"), "admitted");
        EXPECT_EQ(verdict(rules, "2.1.1.1"), "rejected origin.status");
        EXPECT_EQ(rules.stages.size(), 1U);
    }
    EXPECT_EQ(verdict(named({site, edge}), "1.1.1.1"), "admitted");
    EXPECT_EQ(verdict(named({main, site}), "1.1.1.1"), "unknown");
}

TEST(Nginx, ABackupBesideASiteIsReadAsNginxDoes) {
    const auto rules = named({{"/etc/nginx/nginx.conf", "http { include sites-enabled/*; }\n"},
                              {"/etc/nginx/sites-enabled/a", "server { listen 443; allow all; }\n"},
                              {"/etc/nginx/sites-enabled/a.previous",
                               "server { listen 443; server_name a; deny all; }\n"}});
    EXPECT_EQ(verdict(rules, "1.1.1.1"), "unknown");
    ASSERT_FALSE(rules.notes.empty());
    EXPECT_NE(rules.notes[0].find("nginx reads /etc/nginx/sites-enabled/a.previous as well"),
              std::string::npos);
}

TEST(Nginx, LimitExceptIsJudgedForGet) {
    const auto limited = [](const std::string& methods) {
        return rules_of(
            {"server { listen 443; location / { limit_except " + methods + " { deny all; } } }\n"});
    };
    EXPECT_EQ(verdict(limited("GET"), "1.1.1.1"), "admitted");
    EXPECT_EQ(verdict(limited("POST"), "1.1.1.1"), "rejected origin.status");
}

TEST(Nginx, RulesOfModSecurityAreUnknown) {
    for (const char* const text : {"modsecurity_rules_file /etc/nginx/modsec.conf;",
                                   "modsecurity_rules 'SecRuleEngine On';"}) {
        EXPECT_EQ(verdict(rules_of({"server {\n listen 443;\n allow all;\n " + std::string(text) +
                                    "\n}\n"}),
                          "1.1.1.1"),
                  "unknown")
            << text;
    }
}

}  // namespace
}  // namespace edgecase::allowlist
