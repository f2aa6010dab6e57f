#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "config/keys.hpp"
#include "config/load.hpp"
#include "config/nearest.hpp"
#include "config/routes.hpp"
#include "config/settings.hpp"

namespace edgecase::config {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr std::string_view kOrigin = "origin = \"http://127.0.0.1:3000\"\n";

/// Loads the text with an origin in front, on line 1.
std::expected<Settings, ConfigError> with_origin(const std::string& toml,
                                                 const Overrides& overrides = {}) {
    return load(std::string(kOrigin) + toml, "edge.toml", overrides);
}

std::string error_of(const std::expected<Settings, ConfigError>& result) {
    return result ? "no error" : result.error().to_string();
}

std::string error_of(const std::string& toml) {
    return error_of(with_origin(toml));
}

std::string flag_error(std::optional<std::string> Overrides::* flag, const std::string& text) {
    Overrides overrides;
    overrides.*flag = text;
    return error_of(with_origin("", overrides));
}

std::string read_text(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Config, AnOriginAloneIsEnough) {
    const auto settings = with_origin("");
    ASSERT_TRUE(settings) << error_of(settings);
    EXPECT_EQ(settings->listen.to_string(), "127.0.0.1:8520");
    EXPECT_EQ(settings->admin->to_string(), "127.0.0.1:8521");
    ASSERT_EQ(settings->routes.size(), 1u);
    EXPECT_EQ(settings->routes[0].origin.to_string(), "http://127.0.0.1:3000");
    EXPECT_EQ(settings->profile, "default");
    EXPECT_EQ(settings->limits.response_header_bytes, 32u * 1024);
    EXPECT_EQ(settings->limits.response_header_warn_bytes, 30'000u);
    EXPECT_EQ(settings->timeouts.connect, seconds(19));
    EXPECT_EQ(settings->timeouts.read, seconds(125));
}

TEST(Config, FlagsAloneAreEnough) {
    Overrides overrides;
    overrides.origin = "http://localhost:8080";
    overrides.listen = "127.0.0.1:0";
    overrides.admin = "127.0.0.1:0";
    overrides.ssl_mode = "strict";
    overrides.origin_name = "origin.test";
    overrides.workers = "1";
    overrides.connect_timeout = "1s";
    overrides.ack_timeout = "2s";
    overrides.read_timeout = "1500ms";
    overrides.write_timeout = "2s";
    overrides.origin_http2 = "off";
    const auto settings = load("", "", overrides);
    ASSERT_TRUE(settings) << error_of(settings);
    EXPECT_EQ(settings->listen.port, 0);
    EXPECT_EQ(settings->workers, 1u);
    EXPECT_EQ(settings->timeouts.read, std::chrono::milliseconds(1500));
    EXPECT_EQ(settings->origin_name, "origin.test");
}

TEST(Config, WithoutAnOriginThereIsNothingToServe) {
    EXPECT_EQ(error_of(load("", "", {})),
              "no origin: give --origin URL, or `origin` or a [[route]] in a file");
    EXPECT_TRUE(error_of(load("", "e.toml", {})).starts_with("e.toml: no origin"));
}

TEST(Config, ProfilesCarryCloudflaresFigures) {
    const auto now = with_origin("profile = \"cloudflare-2026\"");
    ASSERT_TRUE(now);
    EXPECT_EQ(now->limits.response_header_bytes, 128u * 1024);
    EXPECT_EQ(now->limits.response_line_bytes, 128u * 1024);
    EXPECT_EQ(now->limits.response_header_warn_bytes, 117'963u);
    EXPECT_EQ(now->timeouts.read, seconds(125));
    const auto before = with_origin("profile = \"cloudflare-2025\"");
    ASSERT_TRUE(before);
    EXPECT_EQ(before->limits.response_header_bytes, 32u * 1024);
    EXPECT_EQ(before->limits.response_line_bytes, 16u * 1024);
    EXPECT_EQ(before->timeouts.read, seconds(120));
    const auto legacy = with_origin("profile = \"cloudflare-legacy\"");
    ASSERT_TRUE(legacy);
    EXPECT_EQ(legacy->limits.response_header_bytes, 16u * 1024);
    EXPECT_EQ(legacy->timeouts.connect, seconds(15));
    EXPECT_EQ(legacy->timeouts.ack, seconds(90));
    EXPECT_EQ(legacy->timeouts.read, seconds(100));
    EXPECT_EQ(legacy->timeouts.write, seconds(30));
    EXPECT_EQ(legacy->timeouts.pool_idle, seconds(900));
}

TEST(Config, EveryProfileLoads) {
    for (const std::string_view name : profile_names()) {
        const auto settings = with_origin("profile = \"" + std::string(name) + "\"");
        ASSERT_TRUE(settings) << error_of(settings);
        EXPECT_EQ(settings->profile, name);
    }
}

TEST(Config, AKeyChangesOneValueOfTheProfileWhateverTheOrder) {
    const auto settings = with_origin("timeouts.read = \"7s\"\nprofile = \"cloudflare-legacy\"\n");
    ASSERT_TRUE(settings) << error_of(settings);
    EXPECT_EQ(settings->timeouts.read, seconds(7));
    EXPECT_EQ(settings->timeouts.connect, seconds(15));
}

TEST(Config, FlagsOverrideTheFile) {
    Overrides overrides;
    overrides.profile = "cloudflare-legacy";
    overrides.read_timeout = "3s";
    overrides.origin = "http://10.0.0.1";
    overrides.colo = "PRG";
    const auto settings = with_origin(
        "profile = \"cloudflare-2026\"\ncolo = \"FRA\"\n[timeouts]\nread = \"9s\"\n", overrides);
    ASSERT_TRUE(settings) << error_of(settings);
    EXPECT_EQ(settings->profile, "cloudflare-legacy");
    EXPECT_EQ(settings->timeouts.connect, seconds(15));
    EXPECT_EQ(settings->timeouts.read, seconds(3));
    EXPECT_EQ(settings->colo, "PRG");
    ASSERT_EQ(settings->routes.size(), 1u);
    EXPECT_EQ(settings->routes[0].origin.to_string(), "http://10.0.0.1");
}

TEST(Config, EveryKeyOfTheFileArrives) {
    const auto settings = with_origin(R"(
listen = "*:80"
admin = "localhost:9000"
data_dir = "/var/lib/edgecase"
workers = 3
colo = "VIE"
node_id = 17
resolver = "9.9.9.9"
host_to_origin = false
ssl_mode = "full"
origin_name = "Origin.Example"
[timeouts]
response_head = "10s"
drain = "0s"
[limits]
response_header_bytes = "64KiB"
request_body_bytes = 0
hold_back_time = "0ms"
retries = 0
[retention]
age = "48h"
bytes = "2GiB"
)");
    ASSERT_TRUE(settings) << error_of(settings);
    EXPECT_EQ(settings->listen.to_string(), "0.0.0.0:80");
    EXPECT_EQ(settings->admin->to_string(), "127.0.0.1:9000");
    EXPECT_EQ(settings->data_dir, "/var/lib/edgecase");
    EXPECT_EQ(settings->workers, 3u);
    EXPECT_EQ(settings->colo, "VIE");
    EXPECT_EQ(settings->node_id, 17u);
    EXPECT_EQ(settings->resolver->to_string(), "9.9.9.9:53");
    EXPECT_FALSE(settings->host_to_origin);
    EXPECT_EQ(settings->ssl_mode, SslMode::full);
    EXPECT_EQ(settings->origin_name, "origin.example");
    EXPECT_EQ(settings->timeouts.effective_response_head(), seconds(10));
    EXPECT_EQ(settings->timeouts.drain.count(), 0);
    EXPECT_EQ(settings->limits.response_header_bytes, 64u * 1024);
    EXPECT_EQ(settings->limits.request_body_bytes, 0u);
    EXPECT_EQ(settings->limits.retries, 0);
    EXPECT_EQ(settings->retention.age, hours(48));
    EXPECT_EQ(settings->retention.bytes, 2ull << 30);
}

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

TEST(ConfigErrors, WhatNeedsTlsSaysSo) {
    EXPECT_EQ(flag_error(&Overrides::origin, "https://example.com"),
              "--origin is wrong: https origins need TLS, which this version does not have yet");
    EXPECT_EQ(flag_error(&Overrides::tls_cert, "a.pem"),
              "--tls-cert needs TLS, which this version does not have yet; leave it out");
    EXPECT_NE(flag_error(&Overrides::tls_key, "a.pem").find("needs TLS"), std::string::npos);
    EXPECT_NE(flag_error(&Overrides::origin_ca, "a.pem").find("needs TLS"), std::string::npos);
    EXPECT_NE(flag_error(&Overrides::origin_http2, "on").find("not there yet"), std::string::npos);
    EXPECT_EQ(flag_error(&Overrides::origin_http2, "off"), "no error");
    EXPECT_EQ(error_of("origin_ca = \"a.pem\"").find("edge.toml:2:13: `origin_ca` needs TLS"), 0u);
}

TEST(ConfigErrors, AdminStaysOnLoopback) {
    EXPECT_EQ(error_of("admin = \"*:9000\""),
              "edge.toml:2:9: `admin` is \"*:9000\", but admin listens on loopback only in this "
              "version; authentication is not there yet");
    EXPECT_EQ(flag_error(&Overrides::admin, "[::1]:0"), "no error");
    EXPECT_NE(flag_error(&Overrides::admin, "10.0.0.1:1").find("loopback"), std::string::npos);
}

TEST(ConfigErrors, TwoListenersCannotShareAnAddress) {
    EXPECT_EQ(error_of("listen = \"127.0.0.1:8521\""),
              "edge.toml:2:10: `listen` is the same address as the other listener's");
}

TEST(ConfigErrors, ControlBytesOfAFileDoNotReachTheTerminal) {
    EXPECT_EQ(error_of("colo = \"\\u001b[31m\"").find('\x1b'), std::string::npos);
    EXPECT_EQ(error_of("\"\\u001b\" = 1").find('\x1b'), std::string::npos);
    EXPECT_EQ(error_of(load("origin = \"http://a\\u001b\"", "e", {})).find('\x1b'),
              std::string::npos);
    EXPECT_EQ(error_of("\"\\u001b\" = 1\n\"\\u001b\" = 2").find('\x1b'), std::string::npos);
    EXPECT_EQ(error_of("[[route]]\norigin = \"\\u0007\"").find('\x07'), std::string::npos);
}

TEST(ConfigLimits, ALowerSectionLimitTakesItsPartsAlong) {
    const auto settings = with_origin("[limits]\nresponse_header_bytes = 8192\n");
    ASSERT_TRUE(settings) << error_of(settings);
    EXPECT_EQ(settings->limits.response_line_bytes, 8192u);
    EXPECT_LE(settings->limits.response_header_warn_bytes, 8192u);
}

TEST(ConfigLimits, ContradictionsAreTold) {
    EXPECT_EQ(error_of("[limits]\nresponse_header_bytes = 8192\nresponse_line_bytes = 9000"),
              "edge.toml:4:23: `limits.response_line_bytes` contradicts: one line cannot exceed "
              "response_header_bytes");
    EXPECT_NE(error_of("[limits]\nresponse_header_warn_bytes = 40000").find("warning cannot"),
              std::string::npos);
    EXPECT_NE(error_of("[limits]\nrequest_header_line_bytes = 40000").find("request_header_bytes"),
              std::string::npos);
}

TEST(ConfigRoutes, TheMostSpecificComesFirst) {
    Overrides overrides;
    overrides.routes = {"/z=http://z", "b.example=http://b"};
    const auto settings = with_origin(R"(
[[route]]
path = "/api"
origin = "http://api"
[[route]]
host = "A.example."
origin = "http://a"
[[route]]
host = "a.example"
path = "/deep/er"
origin = "http://deep"
)",
                                      overrides);
    ASSERT_TRUE(settings) << error_of(settings);
    std::vector<std::string> order;
    for (const Route& route : settings->routes) order.push_back(route.origin.host);
    EXPECT_EQ(order, (std::vector<std::string>{"deep", "a", "b", "api", "z", "127.0.0.1"}));
}

TEST(ConfigRoutes, AnIpv6HostKeepsItsBracketsAsInAHostField) {
    const auto settings = load("[[route]]\nhost = \"[0::1]\"\norigin = \"http://a\"", "e", {});
    ASSERT_TRUE(settings) << error_of(settings);
    EXPECT_EQ(settings->routes[0].host, "[::1]");
}

TEST(ConfigRoutes, DuplicatesAreErrorsWithTheirLine) {
    EXPECT_EQ(error_of("[[route]]\nhost = \"a\"\norigin = \"http://a\"\n"
                       "[[route]]\nhost = \"A\"\npath = \"/\"\norigin = \"http://b\"\n"),
              "edge.toml:5:1: a second route for the same host and path; the first is on line 2");
    EXPECT_NE(error_of("[[route]]\norigin = \"http://b\"\n").find("the first is on line 1"),
              std::string::npos);
}

TEST(ConfigRoutes, WrongRoutesAreTold) {
    EXPECT_EQ(error_of("[[route]]\nhost = \"a\"\n"),
              "edge.toml:2:1: this [[route]] has no `origin`");
    EXPECT_NE(error_of("[[route]]\nhost = \"*.a\"\n").find("wildcard"), std::string::npos);
    EXPECT_NE(error_of("[[route]]\nhost = \"a:80\"\n").find("without a port"), std::string::npos);
    EXPECT_NE(error_of("[[route]]\npath = \"api\"\n").find("begin with /"), std::string::npos);
    EXPECT_NE(error_of("[[route]]\npath = \"/a b\"\n").find("percent-encode"), std::string::npos);
    EXPECT_NE(error_of("[[route]]\npath = 4\n").find("must be a string"), std::string::npos);
    EXPECT_NE(error_of("route = \"x\"").find("[[route]] tables, not a string"), std::string::npos);
    EXPECT_NE(error_of("[route]\nhost = \"a\"").find("[[route]] tables, not a table"),
              std::string::npos);
}

TEST(ConfigRoutes, ARouteFlagReplacesTheFilesRoute) {
    Overrides overrides;
    overrides.routes = {"a=http://new", "=http://everything"};
    const auto settings =
        with_origin("[[route]]\nhost = \"a\"\norigin = \"http://old\"", overrides);
    ASSERT_TRUE(settings) << error_of(settings);
    ASSERT_EQ(settings->routes.size(), 2u);
    EXPECT_EQ(settings->routes[0].origin.host, "new");
    EXPECT_EQ(settings->routes[1].origin.host, "everything");
    overrides.routes = {"a=http://x", "a/=http://y"};
    EXPECT_EQ(error_of(with_origin("", overrides)), "--route names the same host and path twice");
    overrides.routes = {"nothing"};
    EXPECT_EQ(error_of(with_origin("", overrides)),
              "--route is wrong: \"nothing\" is not [HOST][/PATH]=URL");
}

TEST(ConfigFile, AFileThatCannotBeReadIsNamed) {
    EXPECT_EQ(error_of(load_file("/no/such.toml", {})),
              "/no/such.toml: cannot be read: No such file or directory");
    EXPECT_EQ(error_of(load_file("/", {})), "/: is a folder, not a file");
}

TEST(ConfigDocumentation, EveryKeyIsDescribed) {
    const std::string text = read_text(EDGECASE_DOCS "/configuration.md");
    for (const Key& key : keys()) {
        EXPECT_NE(text.find("| `" + key.path() + "` |"), std::string::npos) << key.path();
    }
}

TEST(ConfigDocumentation, EveryExampleLoads) {
    std::istringstream text(read_text(EDGECASE_DOCS "/configuration.md"));
    std::string block;
    bool inside = false;
    int examples = 0;
    for (std::string line; std::getline(text, line);) {
        if (inside && line == "```") {
            const auto settings = load(block, "example", {});
            EXPECT_TRUE(settings) << error_of(settings) << "\n" << block;
            ++examples;
            inside = false;
        }
        if (inside) block += line + "\n";
        if (line == "```toml") {
            inside = true;
            block.clear();
        }
    }
    EXPECT_GE(examples, 2);
}

TEST(ConfigSeeds, EverySeedEndsInSettingsOrOneError) {
    int seeds = 0;
    for (const auto& seed : std::filesystem::directory_iterator(EDGECASE_SEEDS "/config")) {
        const auto result = load(read_text(seed.path()), "seed", {});
        EXPECT_TRUE(result || !result.error().message.empty()) << seed.path();
        ++seeds;
    }
    EXPECT_GE(seeds, 5);
}

TEST(Nearest, SaysNothingWhenNothingIsNear) {
    const std::vector<std::string_view> choices{"connect", "read"};
    EXPECT_EQ(nearest("raed", choices), "read");
    EXPECT_EQ(nearest("banana", choices), "");
    EXPECT_EQ(nearest(std::string(1000, 'a'), choices), "");
}

}  // namespace
}  // namespace edgecase::config
