#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>

#include "config/load.hpp"
#include "config/settings.hpp"
#include "config/test_settings.hpp"

namespace edgecase::config {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

TEST(Config, AnOriginAloneIsEnough) {
    const auto settings = with_origin("");
    ASSERT_TRUE(settings) << error_of(settings);
    EXPECT_EQ(settings->listen.to_string(), "127.0.0.1:8520");
    EXPECT_EQ(settings->admin->to_string(), "127.0.0.1:8521");
    ASSERT_EQ(settings->routes.size(), 1u);
    EXPECT_EQ(first_origin(*settings, settings->routes[0]).to_string(), "http://127.0.0.1:3000");
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
    EXPECT_EQ(settings->origin_tls.name, "origin.test");
    EXPECT_EQ(settings->origin_tls.mode, SslMode::strict);
    EXPECT_FALSE(settings->origin_tls.http2);
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
    EXPECT_EQ(first_origin(*settings, settings->routes[0]).to_string(), "http://10.0.0.1");
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
early_hints = true
ssl_mode = "full"
origin_name = "Origin.Example"
origin_http2 = "off"
egress = ["192.0.2.10", "2001:db8::10"]
[timeouts]
response_head = "10s"
drain = "0s"
tls_handshake = "3s"
h2_ping = "20s"
h2_settings = "4s"
[limits]
response_header_bytes = "64KiB"
request_body_bytes = 0
hold_back_time = "0ms"
retries = 0
h2_concurrent_streams = 1
h2_origin_streams = 2
h2_stream_window_bytes = "128KiB"
h2_connection_window_bytes = "512KiB"
h2_resets_per_second = 3
h2_settings_per_second = 4
h2_pings_per_second = 5
h2_empty_frames_per_second = 6
h2_continuations = 7
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
    EXPECT_TRUE(settings->early_hints);
    EXPECT_EQ(settings->origin_tls.mode, SslMode::full);
    EXPECT_EQ(settings->origin_tls.name, "origin.example");
    EXPECT_FALSE(settings->origin_tls.http2);
    ASSERT_EQ(settings->egress.size(), 2u);
    EXPECT_EQ(settings->egress[1].to_string(), "2001:db8::10");
    EXPECT_EQ(settings->timeouts.tls_handshake, seconds(3));
    EXPECT_EQ(settings->timeouts.h2_ping, seconds(20));
    EXPECT_EQ(settings->timeouts.h2_settings, seconds(4));
    EXPECT_EQ(settings->timeouts.effective_response_head(), seconds(10));
    EXPECT_EQ(settings->timeouts.drain.count(), 0);
    EXPECT_EQ(settings->limits.response_header_bytes, 64u * 1024);
    EXPECT_EQ(settings->limits.request_body_bytes, 0u);
    EXPECT_EQ(settings->limits.retries, 0);
    EXPECT_EQ(settings->limits.h2_concurrent_streams, 1u);
    EXPECT_EQ(settings->limits.h2_origin_streams, 2u);
    EXPECT_EQ(settings->limits.h2_stream_window_bytes, 128u * 1024);
    EXPECT_EQ(settings->limits.h2_connection_window_bytes, 512u * 1024);
    EXPECT_EQ(settings->limits.h2_resets_per_second, 3u);
    EXPECT_EQ(settings->limits.h2_settings_per_second, 4u);
    EXPECT_EQ(settings->limits.h2_pings_per_second, 5u);
    EXPECT_EQ(settings->limits.h2_empty_frames_per_second, 6u);
    EXPECT_EQ(settings->limits.h2_continuations, 7u);
    EXPECT_EQ(settings->retention.age, hours(48));
    EXPECT_EQ(settings->retention.bytes, 2ull << 30);
}

TEST(ConfigLimits, ALowerSectionLimitTakesItsPartsAlong) {
    const auto settings = with_origin("[limits]\nresponse_header_bytes = 8192\n");
    ASSERT_TRUE(settings) << error_of(settings);
    EXPECT_EQ(settings->limits.response_line_bytes, 8192u);
    EXPECT_LE(settings->limits.response_header_warn_bytes, 8192u);
}

TEST(ConfigLimits, TheWindowsOfHttp2FollowEachOther) {
    const auto larger = with_origin("[limits]\nh2_stream_window_bytes = \"4MiB\"\n");
    ASSERT_TRUE(larger) << error_of(larger);
    EXPECT_EQ(larger->limits.h2_connection_window_bytes, 4u << 20);
    const auto smaller = with_origin("[limits]\nh2_connection_window_bytes = 65535\n");
    ASSERT_TRUE(smaller) << error_of(smaller);
    EXPECT_EQ(smaller->limits.h2_stream_window_bytes, 65'535u);
}

TEST(ConfigLimits, ContradictionsAreTold) {
    EXPECT_EQ(error_of("[limits]\nresponse_header_bytes = 8192\nresponse_line_bytes = 9000"),
              "edge.toml:4:23: `limits.response_line_bytes` contradicts: one line cannot exceed "
              "response_header_bytes");
    EXPECT_NE(error_of("[limits]\nresponse_header_warn_bytes = 40000").find("warning cannot"),
              std::string::npos);
    EXPECT_NE(error_of("[limits]\nrequest_header_line_bytes = 40000").find("request_header_bytes"),
              std::string::npos);
    EXPECT_EQ(error_of("[limits]\nh2_connection_window_bytes = \"1MiB\"\n"
                       "h2_stream_window_bytes = \"2MiB\""),
              "edge.toml:3:30: `limits.h2_connection_window_bytes` contradicts: a stream's window "
              "cannot exceed its connection's");
}

TEST(ConfigFile, AFileThatCannotBeReadIsNamed) {
    EXPECT_EQ(error_of(load_file("/no/such.toml", {})),
              "/no/such.toml: cannot be read: No such file or directory");
    EXPECT_EQ(error_of(load_file("/", {})), "/: is a folder, not a file");
}

}  // namespace
}  // namespace edgecase::config
