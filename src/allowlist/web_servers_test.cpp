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

Ruleset named(std::vector<Source> sources, FindFiles find = {}) {
    auto rules = read_rules(std::move(sources), "", std::move(find));
    if (!rules) ADD_FAILURE() << rules.error().to_string();
    return rules ? std::move(*rules) : Ruleset();
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

TEST(Apache, AnIncludeIsFollowedAmongTheFilesThatAreGiven) {
    const Source main{"/etc/apache2/apache2.conf",
                      "IncludeOptional mods-enabled/*.load\n<Directory />\nRequire all "
                      "denied\n</Directory>\n<IfModule mod_foo.c>\nInclude "
                      "sites-enabled/*.conf\n</IfModule>\n"};
    const Source site{"/etc/apache2/sites-enabled/a.conf",
                      "<VirtualHost *:443>\n<Directory />\nRequire ip "
                      "1.0.0.0/8\n</Directory>\n</VirtualHost>\n"};
    const Source load{"/etc/apache2/mods-enabled/foo.load", "LoadModule foo_module mod_foo.so\n"};
    const auto rules = named({main, load, site});
    EXPECT_EQ(verdict(rules, "1.1.1.1"), "admitted");
    EXPECT_EQ(verdict(rules, "2.1.1.1"), "rejected origin.status");
    EXPECT_EQ(rules.stages.at(0).policy_place.file, 0U);
    EXPECT_EQ(verdict(named({main, site}), "1.1.1.1"), "unknown");
    // One that says nothing by itself may come first.
    const Source ports{"/etc/apache2/ports.conf", "Listen 443\n"};
    const Source all{"/etc/apache2/apache2.conf", "Include ports.conf\nRequire all granted\n"};
    EXPECT_EQ(verdict(named({ports, all}), "1.1.1.1"), "admitted");
}

TEST(Apache, AnIncludeIsLookedForOnTheDiskOfItsOwnMachineAlone) {
    const auto find = [](const std::string& pattern) {
        FoundFiles found;
        found.files.push_back({pattern, "Require ip 1.0.0.0/8\n", pattern});
        return found;
    };
    const auto at = [&](const std::string& path, const std::string& pattern) {
        return named({{path, "IncludeOptional " + pattern + "\n", path}}, find);
    };
    const auto rules = at("/etc/apache2/apache2.conf", "edge.conf");
    EXPECT_EQ(verdict(rules, "1.1.1.1"), "admitted");
    EXPECT_EQ(rules.sources.at(1).path, "/etc/apache2/edge.conf");
    EXPECT_EQ(rules.stages.at(0).policy_place.file, 1U);
    EXPECT_EQ(verdict(at("/home/me/copy/apache2.conf", "edge.conf"), "1.1.1.1"), "admitted");
    EXPECT_EQ(verdict(at("/home/me/copy/apache2.conf", "/etc/apache2/edge.conf"), "1.1.1.1"),
              "unknown");
    // A file that includes itself ends.
    const auto round = named(
        {{"/etc/apache2/x.conf", "Include x.conf\nRequire all granted\n", "/etc/apache2/x.conf"}},
        [](const std::string& pattern) {
            FoundFiles found;
            found.files.push_back({pattern, "Include x.conf\nRequire all granted\n", pattern});
            return found;
        });
    EXPECT_EQ(verdict(round, "1.1.1.1"), "unknown");
}

TEST(Modsecurity, RulesOfAFileThatApacheIncludesCount) {
    const auto rules =
        named({{"/etc/apache2/apache2.conf", "Require all granted\nInclude modsecurity.conf\n"},
               {"/etc/apache2/modsecurity.conf",
                "SecRuleEngine On\nSecRule REMOTE_ADDR \"@ipMatch 1.0.0.0/8\" "
                "\"id:1,phase:1,deny\"\n"}});
    EXPECT_EQ(verdict(rules, "1.1.1.1"), "rejected origin.status");
    EXPECT_EQ(verdict(rules, "2.1.1.1"), "admitted");
}

TEST(Apache, RequireIsRead) {
    EXPECT_EQ(verdict(rules_of({"Require ip 104.16.0.0/13 10.1 2400:cb00::/32\n"}), "104.16.1.1"),
              "admitted");
    EXPECT_EQ(verdict(rules_of({"Require ip 104.16.0.0/13 10.1 2400:cb00::/32\n"}), "10.1.9.9"),
              "admitted");
    EXPECT_EQ(verdict(rules_of({"Require ip 104.16.0.0/13\n"}), "1.1.1.1"),
              "rejected origin.status");
    const auto all =
        rules_of({"<RequireAll>\n  Require all granted\n  Require not ip "
                  "104.16.3.0/255.255.255.0\n</RequireAll>\n"});
    EXPECT_EQ(verdict(all, "104.16.3.1"), "rejected origin.status");
    EXPECT_EQ(verdict(all, "104.16.4.1"), "admitted");
    const auto any =
        rules_of({"<RequireAny>\nRequire ip 1.0.0.0/8\nRequire valid-user\n</RequireAny>\n"});
    EXPECT_EQ(verdict(any, "1.1.1.1"), "admitted");
    EXPECT_EQ(verdict(any, "2.1.1.1"), "unknown");
    EXPECT_EQ(
        verdict(rules_of({"<RequireNone>\nRequire ip 1.0.0.0/8\n</RequireNone>\n"}), "1.1.1.1"),
        "rejected origin.status");
    EXPECT_EQ(verdict(rules_of({"Require all denied\n"}), "1.1.1.1"), "rejected origin.status");
}

TEST(Apache, OrderAllowAndDenyAreRead) {
    const auto allow_last =
        rules_of({"Order deny,allow\nDeny from 104.16\nAllow from 104.16.3.0/24\n"});
    EXPECT_EQ(verdict(allow_last, "104.16.3.1"), "admitted");
    EXPECT_EQ(verdict(allow_last, "104.16.4.1"), "rejected origin.status");
    EXPECT_EQ(verdict(allow_last, "1.1.1.1"), "admitted");
    const auto deny_last =
        rules_of({"Order allow,deny\nAllow from all\nDeny from 104.16.3.0/24\n"});
    EXPECT_EQ(verdict(deny_last, "104.16.3.1"), "rejected origin.status");
    EXPECT_EQ(verdict(deny_last, "1.1.1.1"), "admitted");
    EXPECT_EQ(
        verdict(rules_of({"Order deny,allow\nDeny from all\nAllow from example.com\n"}), "1.1.1.1"),
        "unknown");
}

TEST(Apache, TheSectionOfTheWholeSiteCounts) {
    const auto rules = rules_of(
        {"DocumentRoot /srv/site\n<Directory />\n  Require all denied\n</Directory>\n<Directory "
         "/srv/site>\n  Require ip 1.0.0.0/8\n</Directory>\n<Location \"/status\">\n  Require "
         "local\n</Location>\n"});
    EXPECT_EQ(verdict(rules, "1.1.1.1"), "admitted");
    EXPECT_EQ(verdict(rules, "2.1.1.1"), "rejected origin.status");
    EXPECT_EQ(rules.notes.size(), 1U);
    EXPECT_EQ(error_of("<Directory />\nRequire all denied\n", "apache"),
              "file: <directory> is not closed");
    EXPECT_EQ(error_of("Require ip nobody\n", "apache"), "file:1:1: `nobody` is no address");
    EXPECT_EQ(error_of("</Location>\n", "apache"), "file:1:1: </location> closes no section");
}

TEST(Apache, AModuleThatMayNotBeLoadedIsConsideredBothWays) {
    const auto when = [](const std::string& test, const std::string& inner,
                         const std::string& before = "") {
        return rules_of({before + "<IfModule " + test + ">\n" + inner + "\n</IfModule>\n"});
    };
    const std::string grant = "<Directory />\nRequire all granted\n</Directory>";
    const std::string denied = "<Directory />\nRequire all denied\n</Directory>\n";
    EXPECT_EQ(verdict(when("mod_foo.c", grant, denied), "1.1.1.1"), "unknown");
    EXPECT_EQ(verdict(when("!mod_foo.c", grant, denied), "1.1.1.1"), "unknown");
    EXPECT_EQ(verdict(when("foo_module", "Require all denied", ""), "1.1.1.1"), "unknown");
    // Where both come to the same it is that.
    EXPECT_EQ(verdict(when("mod_foo.c", denied, denied), "1.1.1.1"), "rejected origin.status");
    EXPECT_EQ(verdict(when("mod_foo.c",
                           "Require all denied\n</IfModule>\n<IfModule "
                           "!mod_foo.c>\nRequire all denied"),
                      "1.1.1.1"),
              "rejected origin.status");
    const std::string load = "LoadModule foo_module modules/mod_foo.so\n" + denied;
    EXPECT_EQ(verdict(when("mod_foo.c", grant, load), "1.1.1.1"), "admitted");
    EXPECT_EQ(verdict(when("foo_module", grant, load), "1.1.1.1"), "admitted");
    EXPECT_EQ(verdict(when("!mod_foo.c", grant, load), "1.1.1.1"), "rejected origin.status");
    for (const char* const always : {"mod_authz_core.c", "authz_host_module", "mod_authz_host.c"}) {
        EXPECT_EQ(verdict(when(always, grant, denied), "1.1.1.1"), "admitted") << always;
    }
}

TEST(Apache, OtherConditionsOfTheConfigurationAreConsideredBothWays) {
    const auto when = [](const std::string& kind, const std::string& test,
                         const std::string& before = "") {
        return verdict(
            rules_of({"<Directory />\nRequire all denied\n</Directory>\n" + before + "<" + kind +
                      " " + test + ">\n<Directory />\nRequire all granted\n</Directory>\n</" +
                      kind + ">\n"}),
            "1.1.1.1");
    };
    EXPECT_EQ(when("IfDefine", "OPEN"), "unknown");
    EXPECT_EQ(when("IfDefine", "OPEN", "Define OPEN\n"), "admitted");
    EXPECT_EQ(when("IfDefine", "!OPEN", "Define OPEN\n"), "rejected origin.status");
    EXPECT_EQ(when("IfFile", "/etc/open"), "unknown");
    EXPECT_EQ(when("IfVersion", ">= 2.4"), "admitted");
    EXPECT_EQ(when("IfVersion", "< 2.4"), "rejected origin.status");
    EXPECT_EQ(when("IfVersion", ">= 2.4.60"), "unknown");
}

TEST(Apache, WithoutAListOfProxiesEveryoneIsOne) {
    EXPECT_EQ(
        verdict(rules_of({"RemoteIPHeader X-Forwarded-For\nRequire ip 1.0.0.0/8\n"}), "1.1.1.1"),
        "unknown");
    EXPECT_EQ(verdict(rules_of({"RemoteIPHeader X-Forwarded-For\nRemoteIPTrustedProxy "
                                "10.0.0.0/8\nRequire ip 1.0.0.0/8\n"}),
                      "1.1.1.1"),
              "admitted");
    EXPECT_EQ(verdict(rules_of({"RemoteIPProxyProtocol On\nRequire ip 1.0.0.0/8\n"}), "1.1.1.1"),
              "unknown");
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

TEST(Apache, WhatMayBeTheSiteIsUnknown) {
    EXPECT_EQ(verdict(rules_of({"DocumentRoot /srv/x/html\n<Directory /srv/x/html/>\nRequire ip "
                                "10.0.0.0/8\n</Directory>\n"}),
                      "1.1.1.1"),
              "rejected origin.status");
    EXPECT_EQ(verdict(rules_of({"<Directory \"/usr/local/apache2/htdocs\">\nRequire ip "
                                "10.0.0.0/8\n</Directory>\n"}),
                      "1.1.1.1"),
              "unknown");
    EXPECT_EQ(verdict(rules_of({"DocumentRoot /home/a/www\n<Directory /home/*/www>\nRequire all "
                                "denied\n</Directory>\n"}),
                      "1.1.1.1"),
              "unknown");
    EXPECT_EQ(verdict(rules_of({"Require all granted\n<If \"true\">\nRequire all denied\n</If>\n"}),
                      "1.1.1.1"),
              "unknown");
}

TEST(Apache, WhatIsIncludedIsUnknown) {
    EXPECT_EQ(verdict(rules_of({"Require all granted\nInclude sites/*.conf\n"}), "1.1.1.1"),
              "unknown");
    EXPECT_EQ(verdict(rules_of({"Require all granted\nInclude ports.conf\n"}), "1.1.1.1"),
              "admitted");
}

TEST(Nginx, LimitExceptIsJudgedForGet) {
    const auto limited = [](const std::string& methods) {
        return rules_of(
            {"server { listen 443; location / { limit_except " + methods + " { deny all; } } }\n"});
    };
    EXPECT_EQ(verdict(limited("GET"), "1.1.1.1"), "admitted");
    EXPECT_EQ(verdict(limited("POST"), "1.1.1.1"), "rejected origin.status");
}

TEST(Apache, OrderAndRequireMustBothLetIn) {
    EXPECT_EQ(verdict(rules_of({"<Directory /var/www/html>\nOrder deny,allow\nDeny from "
                                "all\nRequire all granted\n</Directory>\n"}),
                      "1.1.1.1"),
              "rejected origin.status");
}

TEST(Apache, HostsOfOnePortAreAlternatives) {
    const auto host = [](const std::string& port, const std::string& require) {
        return "<VirtualHost *:" + port + ">\n<Location />\nRequire " + require +
               "\n</Location>\n</VirtualHost>\n";
    };
    const auto two = rules_of({host("443", "all granted") + host("443", "ip 10.0.0.0/8")});
    EXPECT_EQ(verdict(two, "1.1.1.1"), "unknown");
    EXPECT_EQ(verdict(two, "10.1.1.1"), "admitted");
    EXPECT_EQ(two.notes.size(), 1U);
    const auto ports = rules_of({host("80", "all granted") + host("443", "ip 10.0.0.0/8")});
    EXPECT_EQ(verdict(ports, "1.1.1.1", 80), "admitted");
    EXPECT_EQ(verdict(ports, "1.1.1.1"), "rejected origin.status");
}

TEST(Apache, TrustedProxiesCountWhereverTheyAreNamed) {
    EXPECT_EQ(verdict(rules_of({"<IfModule mod_remoteip.c>\nRemoteIPTrustedProxy "
                                "1.0.0.0/8\n</IfModule>\nRequire ip 1.0.0.0/8\n"}),
                      "1.1.1.1"),
              "unknown");
}

TEST(Apache, LimitsAreJudgedForGet) {
    const auto limited = [](const std::string& kind) {
        return rules_of({"<" + kind + " GET POST>\nRequire all denied\n</" + kind + ">\n"});
    };
    EXPECT_EQ(verdict(limited("LimitExcept"), "1.1.1.1"), "admitted");
    EXPECT_EQ(verdict(limited("Limit"), "1.1.1.1"), "rejected origin.status");
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
