#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "config/load.hpp"
#include "config/settings.hpp"
#include "config/test_settings.hpp"

namespace edgecase::config {
namespace {

TEST(ConfigErrors, AMisspeltKeyIsAnsweredWithTheRightOneAndItsPlace) {
    EXPECT_EQ(error_of("conect_timeout = \"1s\""),
              "edge.toml:2:1: unknown key `conect_timeout`; did you mean `timeouts.connect`?");
    EXPECT_EQ(error_of("[timeouts]\n  conect = \"1s\""),
              "edge.toml:3:3: unknown key `conect` in [timeouts]; did you mean "
              "`timeouts.connect`?");
    EXPECT_EQ(error_of("data-dir = \"x\""),
              "edge.toml:2:1: unknown key `data-dir`; did you mean `data_dir`?");
    EXPECT_EQ(error_of("[timeout]\nread = \"1s\""),
              "edge.toml:2:2: unknown key `timeout`; did you mean `timeouts`?");
    EXPECT_EQ(error_of("liste_plain = \"*:80\""),
              "edge.toml:2:1: unknown key `liste_plain`; did you mean `listen_plain`?");
    EXPECT_EQ(error_of("[[pol]]\nname = \"a\""),
              "edge.toml:2:3: unknown key `pol`; did you mean `pool`?");
    EXPECT_EQ(error_of("zzzzzzzzzzzz = 1"), "edge.toml:2:1: unknown key `zzzzzzzzzzzz`");
    EXPECT_EQ(error_of("[[route]]\nhsot = \"a\""),
              "edge.toml:3:1: unknown key `hsot` in [[route]]; did you mean `host`?");
}

TEST(ConfigErrors, TheFirstErrorOfTheFileIsToldFirst) {
    EXPECT_EQ(error_of("zzzzzzzz = 1\naaaaaaaa = 1"), "edge.toml:2:1: unknown key `zzzzzzzz`");
}

TEST(ConfigErrors, BrokenTomlHasAPlace) {
    const auto result = load("listen = \"127.0.0.1:0\"\norigin = [\n", "bad.toml", {});
    ASSERT_FALSE(result);
    EXPECT_GE(result.error().line, 2u);
    EXPECT_GE(result.error().column, 1u);
    EXPECT_TRUE(result.error().to_string().starts_with("bad.toml:")) << error_of(result);
    EXPECT_NE(error_of("colo = \"LAB\"\ncolo = \"LAB\"").find("edge.toml:3:"), std::string::npos);
}

TEST(ConfigErrors, AKeyThatMakesTheParserAssertIsOnlyAnError) {
    EXPECT_TRUE(error_of("\n[=]\nworkers = 1\n").starts_with("edge.toml:3:1: "))
        << error_of("\n[=]");
    EXPECT_TRUE(error_of("[\x1b]").starts_with("edge.toml:2:1: "));
    EXPECT_TRUE(error_of("[\xc3\xb1]\n[=]").starts_with("edge.toml:2:"));
}

TEST(ConfigErrors, AKeyOfThousandsOfPartsDoesNotUseUpTheStack) {
    std::string key = "a";
    for (int i = 0; i < 50'000; ++i) key += ".a";
    const std::string right = "this line has a key of many parts; no setting has more than three";
    EXPECT_EQ(error_of("x = \"\"\"\n\"\"\"\n[" + key + "]"), "edge.toml:4:1: " + right);
    EXPECT_EQ(error_of(key + " = 1"), "edge.toml:2:1: " + right);
    EXPECT_EQ(error_of("x = { " + key + " = 1 }"), "edge.toml:2:1: " + right);
    EXPECT_EQ(error_of("# a.b.c.d.e.f.g.h.i.j\ndata_dir = 'a.b.c.d.e.f.g.h.i.j'"), "no error");
    EXPECT_EQ(error_of("data_dir = \"\\\".b.c.d.e.f.g.h.i.j\""), "no error");
}

TEST(ConfigErrors, LettersOutsideAsciiStandInTextOnly) {
    const auto settings = with_origin("data_dir = \"/home/j\xc3\xbcrgen\"  # \xe3\x81\x82\n");
    ASSERT_TRUE(settings) << error_of(settings);
    EXPECT_EQ(settings->data_dir, "/home/j\xc3\xbcrgen");
    EXPECT_TRUE(error_of("\xc3\xa9 = 1").starts_with("edge.toml:2:1: "));
    EXPECT_TRUE(error_of("workers = 1 \xc3\xa9").starts_with("edge.toml:2:"));
}

TEST(ConfigErrors, WrongTypesAndRangesNameTheKeyAndWhatIsRight) {
    EXPECT_EQ(error_of("workers = \"4\""),
              "edge.toml:2:11: `workers` must be a whole number, 0 for one per core, not \"4\"");
    EXPECT_EQ(error_of("workers = 9999"),
              "edge.toml:2:11: `workers` must be from 0 to 256, not 9999");
    EXPECT_EQ(error_of("workers = -1"), "edge.toml:2:11: `workers` must be from 0 to 256, not -1");
    EXPECT_EQ(error_of("workers = 1.5"), "edge.toml:2:11: `workers` cannot be a fraction");
    EXPECT_EQ(error_of("[timeouts]\nread = 125"),
              "edge.toml:3:8: `timeouts.read` must be a duration such as \"2s\" or \"500ms\", "
              "not 125");
    EXPECT_EQ(error_of("[timeouts]\nread = \"2 s\""),
              "edge.toml:3:8: `timeouts.read` must be a duration such as \"2s\" or \"500ms\", "
              "not \"2 s\"");
    EXPECT_EQ(error_of("[timeouts]\nconnect = \"0s\""),
              "edge.toml:3:11: `timeouts.connect` must be from 1ms to 1h, not \"0s\"");
    EXPECT_EQ(error_of("[limits]\nretries = 11"),
              "edge.toml:3:11: `limits.retries` must be from 0 to 10, not 11");
    EXPECT_EQ(error_of("[limits]\nhold_back_bytes = \"64KB\""),
              "edge.toml:3:19: `limits.hold_back_bytes` must be a number of bytes such as 32768 "
              "or \"32KiB\", not \"64KB\"");
    EXPECT_EQ(error_of("[limits]\nhold_back_bytes = \"9223372036854775807GiB\""),
              "edge.toml:3:19: `limits.hold_back_bytes` must be a number of bytes such as 32768 "
              "or \"32KiB\", not \"9223372036854775807GiB\"");
    EXPECT_EQ(error_of("[retention]\nage = \"90m\""),
              "edge.toml:3:7: `retention.age` must be a whole number of hours, not \"90m\"");
    EXPECT_EQ(
        error_of("[retention]\nrecords = \"none\""),
        "edge.toml:3:11: `retention.records` must be one of all, failures, off, not \"none\"");
    EXPECT_EQ(error_of("[ledger]\nkind = \"clickhouse\""),
              "edge.toml:3:8: `ledger.kind` needs `ledger.urls`, where ClickHouse is");
    EXPECT_EQ(error_of("[ledger]\nurls = [\"ftp://10.0.0.1\"]"),
              "edge.toml:3:9: `ledger.urls` must be a URL of ClickHouse's HTTP port, such as "
              "\"http://10.0.0.1:8123\", not \"ftp://10.0.0.1\"");
    EXPECT_EQ(error_of("[ledger]\nurls = \"http://10.0.0.1\""),
              "edge.toml:3:8: `ledger.urls` must be a list such as [\"http://10.0.0.1:8123\"], not "
              "a string");
    EXPECT_EQ(error_of("[ledger]\ndatabase = \"a b\""),
              "edge.toml:3:12: `ledger.database` must be a name of letters, digits and _, such as "
              "\"edgecase\", not \"a b\"");
    EXPECT_EQ(error_of("timeouts = 3"),
              "edge.toml:2:12: `timeouts` must be a table, not an integer");
    EXPECT_EQ(error_of("host_to_origin = \"no\""),
              "edge.toml:2:18: `host_to_origin` must be true or false, not \"no\"");
    EXPECT_EQ(
        error_of("colo = \"lab\""),
        "edge.toml:2:8: `colo` must be three upper-case letters such as \"LAB\", not \"lab\"");
    EXPECT_EQ(error_of("profile = \"cloudflare-2062\""),
              "edge.toml:2:11: `profile` must be one of default, cloudflare-2026, cloudflare-2025, "
              "cloudflare-legacy, not \"cloudflare-2062\"; did you mean \"cloudflare-2026\"?");
    EXPECT_NE(error_of("listen = \"8080\"").find("`listen` must be HOST:PORT"), std::string::npos);
    EXPECT_NE(error_of("listen = \"localhost:70000\"").find("`listen` must"), std::string::npos);
    EXPECT_NE(error_of("resolver = \"dns.example\"").find("`resolver` must"), std::string::npos);
    EXPECT_NE(error_of("ssl_mode = \"Strict\"").find("off, flexible, full"), std::string::npos);
}

TEST(ConfigErrors, AFlagIsNamedAsItWasTyped) {
    EXPECT_EQ(flag_error(&Overrides::connect_timeout, "fast"),
              "--connect-timeout must be a duration such as \"2s\" or \"500ms\", not \"fast\"");
    EXPECT_EQ(flag_error(&Overrides::workers, "two"),
              "--workers must be a whole number, 0 for one per core, not \"two\"");
    EXPECT_EQ(flag_error(&Overrides::origin, "127.0.0.1:3000"),
              "--origin is wrong: \"127.0.0.1:3000\" is not an origin URL: it must begin with "
              "http:// or https://");
    EXPECT_EQ(flag_error(&Overrides::data_dir, ""), "--data-dir must be a folder, not \"\"");
}

TEST(ConfigErrors, AdminStaysOnLoopback) {
    EXPECT_EQ(error_of("admin = \"*:9000\""),
              "edge.toml:2:9: `admin` is not a loopback address, so whoever asks there must show a "
              "token: set `admin_token_file` too");
    EXPECT_EQ(flag_error(&Overrides::admin, "[::1]:0"), "no error");
    EXPECT_NE(flag_error(&Overrides::admin, "10.0.0.1:1").find("loopback"), std::string::npos);
}

TEST(ConfigErrors, TwoListenersCannotShareAnAddress) {
    EXPECT_EQ(error_of("listen = \"127.0.0.1:8521\""),
              "edge.toml:2:10: `listen` is the same address as the other listener's");
}

TEST(ConfigErrors, AnEgressListIsReadAddressByAddress) {
    EXPECT_EQ(error_of("egress = [\"192.0.2.1\",\n  \"192.0.2\"]"),
              "edge.toml:3:3: `egress` must be an address of this machine, such as \"192.0.2.10\", "
              "not \"192.0.2\"");
    EXPECT_EQ(error_of("egress = [\"::1\", \"0::1\"]"), "edge.toml:2:18: `egress` names ::1 twice");
    EXPECT_EQ(error_of("egress = [[]]"), "edge.toml:2:11: `egress` cannot hold an array");
    EXPECT_EQ(error_of("egress = \"::1\""),
              "edge.toml:2:10: `egress` must be a list such as [\"192.0.2.10\", "
              "\"2001:db8::10\"], not a string");
    EXPECT_NE(error_of("egress = [\"0.0.0.0\"]").find("an address of this"), std::string::npos);
    EXPECT_NE(error_of("egress = [\"224.0.0.1\"]").find("an address of this"), std::string::npos);
    EXPECT_NE(error_of("egress = [\"[::1]:80\"]").find("an address of this"), std::string::npos);
    std::string many;
    for (int i = 0; i < 257; ++i) {
        many += (many.empty() ? "" : ", ") + ("\"10.0.1." + std::to_string(i) + "\"");
        if (i == 255) many += ", \"10.0.2.0\"";
    }
    EXPECT_NE(error_of("egress = [" + many + "]").find("more than 256"), std::string::npos);
}

TEST(ConfigErrors, EgressFlagsReplaceTheList) {
    Overrides overrides;
    overrides.egress = {"::1", "10.0.0.1"};
    const auto settings = with_origin("egress = [\"192.0.2.1\"]", overrides);
    ASSERT_TRUE(settings) << error_of(settings);
    EXPECT_EQ(settings->egress.size(), 2u);
    EXPECT_EQ(settings->egress[0].to_string(), "::1");
    overrides.egress = {"::1", "here"};
    EXPECT_EQ(error_of(with_origin("", overrides)),
              "--egress must be an address of this machine, such as \"192.0.2.10\", not \"here\"");
}

TEST(ConfigErrors, ControlBytesOfAFileDoNotReachTheTerminal) {
    EXPECT_EQ(error_of("colo = \"\\u001b[31m\"").find('\x1b'), std::string::npos);
    EXPECT_EQ(error_of("\"\\u001b\" = 1").find('\x1b'), std::string::npos);
    EXPECT_EQ(error_of(load("origin = \"http://a\\u001b\"", "e", {})).find('\x1b'),
              std::string::npos);
    EXPECT_EQ(error_of("\"\\u001b\" = 1\n\"\\u001b\" = 2").find('\x1b'), std::string::npos);
    EXPECT_EQ(error_of("[[route]]\norigin = \"\\u0007\"").find('\x07'), std::string::npos);
}

}  // namespace
}  // namespace edgecase::config
