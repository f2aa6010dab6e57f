#include "ip/endpoint.hpp"

#include <gtest/gtest.h>

namespace edgecase::ip {
namespace {

TEST(Endpoint, round_trips_both_families) {
    for (const char* text : {"127.0.0.1:80", "[::1]:8443", "0.0.0.0:0"}) {
        const auto endpoint = Endpoint::parse(text);
        ASSERT_TRUE(endpoint) << text;
        EXPECT_EQ(endpoint->to_string(), text);
    }
}

TEST(Endpoint, rejects_names_and_bad_ports) {
    for (const char* text : {"", "localhost:80", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "::1:80",
                             "1.2.3.4:80x", ":80"}) {
        EXPECT_FALSE(Endpoint::parse(text)) << text;
    }
}

TEST(Address, knows_special_addresses) {
    EXPECT_TRUE(Address::parse("127.9.9.9")->is_loopback());
    EXPECT_TRUE(Address::parse("::1")->is_loopback());
    EXPECT_FALSE(Address::parse("10.0.0.1")->is_loopback());
    EXPECT_TRUE(Address::parse("::")->is_unspecified());
    EXPECT_TRUE(Address::parse("224.0.0.1")->is_multicast());
    EXPECT_TRUE(Address::parse("255.255.255.255")->is_multicast());
}

}  // namespace
}  // namespace edgecase::ip
