#include "cli/config_text.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "config/load.hpp"

namespace edgecase::cli {
namespace {

constexpr std::string_view kToml = R"(
origin = "https://o.example"
ssl_mode = "full"
egress = ["192.0.2.1"]
[[pool]]
name = "api"
balance = "least_requests"
origins = ["http://10.0.0.1", { url = "http://10.0.0.2:81", weight = 3 }]
[pool.health]
path = "/up"
[[pool]]
name = "spare"
origins = ["http://10.0.0.3"]
[[route]]
host = "api.example"
path = "/v1"
pool = "api"
)";

TEST(ConfigText, GoodSettingsAreShownAsTheyWereUnderstood) {
    auto settings = config::load(kToml, "edge.toml", {});
    ASSERT_TRUE(settings) << settings.error().to_string();
    settings->certificates = {{"a.pem", "a.key"}};
    EXPECT_EQ(config_text(*settings, "edge\x1b.toml"), R"(edge\x1b.toml: fine
  listen       127.0.0.1:8520, TLS
  admin        127.0.0.1:8521
  certificate  a.pem with a.key
  profile      default
  pool         api: least_requests over http://10.0.0.1, http://10.0.0.2:81 (weight 3); asks /up every 30s
  pool         spare: round_robin over http://10.0.0.3; no route uses it
  route        api.example/v1 -> pool api
  route        everything -> https://o.example
  origin TLS   ssl_mode full, offers HTTP/2
  egress       192.0.2.1
  timeouts     connect 19s, ack 90s, read 125s, write 30s
)");
}

TEST(ConfigText, JsonHasEveryPoolAndNamesTheOneOfARoute) {
    const auto settings = config::load(kToml, "edge.toml", {});
    ASSERT_TRUE(settings) << settings.error().to_string();
    const auto json = nlohmann::json::parse(config_json(*settings));
    EXPECT_EQ(json["ok"], true);
    EXPECT_EQ(json["tls"], false);
    EXPECT_EQ(json["listen_plain"], nullptr);
    ASSERT_EQ(json["pools"].size(), 3u);
    EXPECT_EQ(json["pools"][0]["origins"][1]["weight"], 3);
    EXPECT_EQ(json["pools"][0]["health"]["interval_ms"], 30'000);
    EXPECT_EQ(json["pools"][1]["health"], nullptr);
    EXPECT_EQ(json["pools"][2]["name"], "https://o.example");
    EXPECT_EQ(json["routes"][0]["pool"], "api");
    EXPECT_EQ(json["routes"][1]["origin"], "https://o.example");
    EXPECT_EQ(json["origin_tls"]["ssl_mode"], "full");
}

}  // namespace
}  // namespace edgecase::cli
