#include "lab/dns_server.hpp"

#include <gtest/gtest.h>

namespace edgecase::lab {
namespace {

using namespace std::string_view_literals;

std::string query(std::string_view label, std::string_view type = "\x00\x01"sv) {
    std::string bytes("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"sv);
    bytes += static_cast<char>(label.size());
    bytes += label;
    bytes += "\x03lab\x04test\x00"sv;
    bytes += type;
    bytes += "\x00\x01"sv;
    return bytes;
}

const ip::Address kLab = ip::Address::v4(0x7f000001);

int rcode(std::string_view reply) {
    return reply[3] & 0x0f;
}
int answers(std::string_view reply) {
    return reply[7];
}

TEST(DnsServer, resolves_ok_to_the_lab) {
    const auto reply = dns_reply(query("ok"), kLab);
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->substr(0, 2), "\x12\x34");
    EXPECT_EQ(answers(*reply), 1);
    EXPECT_EQ(reply->substr(reply->size() - 6), "\x00\x04\x7f\x00\x00\x01"sv);
}

TEST(DnsServer, answers_with_the_rcode_of_the_name) {
    EXPECT_EQ(rcode(dns_reply(query("servfail"), kLab).value()), 2);
    EXPECT_EQ(rcode(dns_reply(query("nxdomain"), kLab).value()), 3);
    EXPECT_EQ(rcode(dns_reply(query("refused"), kLab).value()), 5);
    EXPECT_EQ(rcode(dns_reply(query("any-other"), kLab).value()), 3);
}

TEST(DnsServer, ignores_the_case_of_a_name) {
    EXPECT_EQ(answers(dns_reply(query("OK"), kLab).value()), 1);
}

TEST(DnsServer, gives_no_address_where_none_belongs) {
    for (const auto& bytes : {query("nodata"), query("ok", "\x00\x1c"sv)}) {
        const auto reply = dns_reply(bytes, kLab);
        ASSERT_TRUE(reply);
        EXPECT_EQ(rcode(*reply), 0);
        EXPECT_EQ(answers(*reply), 0);
    }
}

TEST(DnsServer, stays_silent_for_timeout_and_for_what_is_no_query) {
    EXPECT_FALSE(dns_reply(query("timeout"), kLab));
    EXPECT_FALSE(dns_reply("", kLab));
    EXPECT_FALSE(dns_reply(query("ok").substr(0, 20), kLab));
    std::string response = query("ok");
    response[2] = '\x81';
    EXPECT_FALSE(dns_reply(response, kLab));
}

TEST(DnsServer, gives_addresses_no_origin_can_have) {
    EXPECT_TRUE(dns_reply(query("prohibited"), kLab)->ends_with("\x00\x04\x00\x00\x00\x00"sv));
    EXPECT_TRUE(dns_reply(query("multicast"), kLab)->ends_with("\x00\x04\xe0\x00\x00\x09"sv));
}

TEST(DnsServer, malformed_answer_claims_more_than_it_holds) {
    EXPECT_TRUE(dns_reply(query("malformed"), kLab)->ends_with("\x00\x40\x7f\x00\x00\x01"sv));
}

}  // namespace
}  // namespace edgecase::lab
