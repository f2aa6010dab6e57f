#include "admin/origins_api.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace edgecase::admin {
namespace {

using origin::Http2Switch;

TEST(OriginsApi, the_list_says_what_is_in_force_and_why) {
    const OriginState states[] = {{"https://a.test:443", true, true, Http2Switch::configured},
                                  {"https://b.test:443", true, true, Http2Switch::off},
                                  {"https://c.test:443", true, false, Http2Switch::on},
                                  {"http://d.test:80", false, false, Http2Switch::on}};
    const auto origins = nlohmann::json::parse(origins_json(states))["origins"];
    EXPECT_EQ(origins[0]["http2"], true);
    EXPECT_EQ(origins[0]["http2_switch"], "configured");
    EXPECT_EQ(origins[1]["http2"], false);
    EXPECT_EQ(origins[1]["http2_configured"], true);
    EXPECT_EQ(origins[2]["http2"], true);
    EXPECT_EQ(origins[3]["http2"], false) << "there is no HTTP/2 without TLS";
    EXPECT_EQ(origins[2]["url"], "https://c.test:443");
}

TEST(OriginsApi, an_order_is_read_and_anything_else_is_refused) {
    const auto order = parse_http2_order(R"({"http2": "off", "origin": "https://a.test"})");
    ASSERT_TRUE(order);
    EXPECT_EQ(order->origin, "https://a.test");
    EXPECT_EQ(order->http2, Http2Switch::off);
    for (const auto* wrong :
         {"", "[]", "{}", R"({"origin": "https://a.test"})", R"({"origin": 1, "http2": "on"})",
          R"({"origin": "https://a.test", "http2": "no"})",
          R"({"origin": "https://a.test", "http2": true})", "\xff",
          R"({"origin": "https://a.test", "http2": "on", "more": 1})"}) {
        EXPECT_FALSE(parse_http2_order(wrong)) << wrong;
    }
}

}  // namespace
}  // namespace edgecase::admin
