#include <gtest/gtest.h>

#include "allowlist/verdicts_for_tests.hpp"

namespace edgecase::allowlist {
namespace {

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

}  // namespace
}  // namespace edgecase::allowlist
