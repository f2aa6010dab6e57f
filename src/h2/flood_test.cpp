#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>

#include "h2/fault.hpp"
#include "h2/frame_scanner.hpp"
#include "h2/pair_for_tests.hpp"
#include "h2/session.hpp"

namespace edgecase::h2 {
namespace {

constexpr uint32_t kEnhanceYourCalm = 11;

/// How many of the frames were taken before the connection was ended, all within one second.
int taken(TowardsClient& client, const std::string& frame, int maximum = 5000) {
    for (int i = 0; i < maximum; ++i) {
        if (!client.receive(frame)) return i;
        bytes_of(client.session);
    }
    return maximum;
}

TEST(H2Flood, resets_at_once_after_the_request) {
    TowardsClient client;
    uint32_t stream = 1;
    int resets = 0;
    while (client.receive(headers(stream, kGet, kWhole) +
                          frame(FrameType::rst_stream, 0, stream, number(8)))) {
        client.session.close(stream, 0);
        bytes_of(client.session);
        stream += 2;
        ASSERT_LT(++resets, 2000);
    }
    EXPECT_EQ(resets, 500);
    EXPECT_EQ(client.connection_rule(), Rule::rapid_reset);
    EXPECT_EQ(client.session.fault()->error_code, kEnhanceYourCalm);
    EXPECT_NE(bytes_of(client.session), "");
    EXPECT_EQ(client.session.frames().lines().back().substr(0, 8), "> GOAWAY");
}

TEST(H2Flood, resets_that_we_are_made_to_send) {
    TowardsClient client;
    uint32_t stream = 1;
    while (client.receive(headers(stream, {{":method", "GET"}}, kWhole))) {
        client.session.close(stream, 0);
        bytes_of(client.session);
        stream += 2;
        ASSERT_LT(stream, 4000U);
    }
    EXPECT_EQ(client.connection_rule(), Rule::rapid_reset);
}

TEST(H2Flood, streams_whose_user_is_late_do_not_pile_up) {
    Limits limits;
    limits.concurrent_streams = 4;
    TowardsClient client(limits);
    for (uint32_t stream = 1; stream < 40; stream += 2) {
        EXPECT_TRUE(client.receive(headers(stream, kGet, kEndHeaders) + data(stream, "x") +
                                   frame(FrameType::rst_stream, 0, stream, number(8))));
        bytes_of(client.session);
    }
    EXPECT_EQ(client.session.open_streams(), 8U);
    EXPECT_EQ(client.told.opened.size(), 8U);
}

TEST(H2Flood, settings_and_pings) {
    TowardsClient client;
    EXPECT_EQ(taken(client, settings()), 99);  // the first came with the preface
    EXPECT_EQ(client.connection_rule(), Rule::settings_flood);
    TowardsClient other;
    EXPECT_EQ(taken(other, frame(FrameType::ping, 0, 0, "12345678")), 200);
    EXPECT_EQ(other.connection_rule(), Rule::ping_flood);
}

TEST(H2Flood, slow_pings_are_none) {
    TowardsClient client;
    for (int i = 0; i < 1000; ++i) {
        ASSERT_TRUE(client.receive(frame(FrameType::ping, 0, 0, "12345678")));
        bytes_of(client.session);
        client.clock.advance(std::chrono::milliseconds(60));
    }
}

TEST(H2Flood, empty_frames) {
    TowardsClient client;
    client.receive(headers(1, kGet));
    EXPECT_EQ(taken(client, data(1, "")), 1000);
    EXPECT_EQ(client.connection_rule(), Rule::empty_frame_flood);
    TowardsClient padded;
    padded.receive(headers(1, kGet));
    EXPECT_EQ(taken(padded, data(1, std::string("\x01\x00", 2), kPadded)), 1000);
    EXPECT_EQ(padded.connection_rule(), Rule::empty_frame_flood);
}

TEST(H2Flood, continuations_without_end) {
    TowardsClient client;
    client.receive(headers(1, kGet, 0));
    EXPECT_EQ(taken(client, frame(FrameType::continuation, 0, 1, block({{"a", "b"}}))), 32);
    EXPECT_EQ(client.connection_rule(), Rule::continuation_flood);
}

TEST(H2Flood, few_continuations_are_one_header_block) {
    TowardsClient client;
    client.receive(headers(1, kGet, kEndStream) +
                   frame(FrameType::continuation, 0, 1, block({{"a", "b"}})) +
                   frame(FrameType::continuation, kEndHeaders, 1, block({{"c", "d"}})));
    EXPECT_EQ(take(client.session, 1), "GET / HTTP/1.1\r\nhost: a.test\r\na: b\r\nc: d\r\n\r\n");
}

TEST(H2Flood, header_blocks_that_swell_when_decoded) {
    TowardsClient client;
    // One entry of 4000 bytes enters the table; each further byte stands for it.
    std::string block_bytes = block(kGet);
    block_bytes += std::string("\x40\x01x", 3) + "\x7f" +
                   static_cast<char>((3900 - 127) % 128 + 128) +
                   static_cast<char>((3900 - 127) / 128) + std::string(3900, 'y');
    block_bytes += std::string(1000, '\xbe');
    EXPECT_FALSE(client.receive(frame(FrameType::headers, kWhole, 1, block_bytes)));
    EXPECT_EQ(client.connection_rule(), Rule::header_bomb);
    EXPECT_EQ(client.rule(1), Rule::header_bomb);
}

TEST(H2Flood, very_many_entries_in_one_settings_frame_from_either_side) {
    std::string many;
    for (uint32_t i = 0; i < 33; ++i) many += number(0x100 + i, 2) + number(0);
    const std::string few = many.substr(0, size_t{32} * 6);
    TowardsClient client;
    EXPECT_TRUE(client.receive(settings(few)));
    EXPECT_FALSE(client.receive(settings(many)));
    EXPECT_EQ(client.connection_rule(), Rule::settings_flood);
    TowardsOrigin origin;
    EXPECT_TRUE(origin.receive(settings(few)));
    EXPECT_FALSE(origin.receive(settings(many)));
    EXPECT_EQ(origin.connection_rule(), Rule::settings_flood);
}

TEST(H2Flood, interim_responses_that_nobody_takes) {
    Limits limits;
    limits.header_list_bytes = 4096;
    TowardsOrigin origin("GET", limits);
    const std::string hint =
        headers(1, {{":status", "103"}, {"link", std::string(3000, 'x')}}, kEndHeaders);
    int taken = 0;
    while (origin.rule() == Rule::none && taken < 100) {
        ASSERT_TRUE(origin.receive(hint));
        ++taken;
    }
    EXPECT_EQ(origin.rule(), Rule::header_list_size);
    EXPECT_LT(origin.session.readable(origin.id).size(), size_t{4} * 4096);
    // Taken as they come they may be as many as they like here; the edge counts them.
    TowardsOrigin busy("GET", limits);
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(busy.receive(hint));
        take(busy.session, busy.id);
    }
    EXPECT_EQ(busy.rule(), Rule::none);
}

TEST(H2Flood, a_stream_that_begins_behind_our_goaway_is_refused_and_never_shown) {
    TowardsClient client;
    EXPECT_TRUE(client.receive(headers(1, kGet, kWhole)));
    client.session.shut_down();  // not sent yet
    EXPECT_TRUE(client.receive(headers(3, kGet, kWhole)));
    EXPECT_EQ(client.told.opened, std::vector<uint32_t>{1});
    const std::string sent = bytes_of(client.session);
    EXPECT_NE(sent.find(frame(FrameType::goaway, 0, 0, number(1) + number(0))), std::string::npos);
    EXPECT_EQ(client.session.open_streams(), 1U);
}

TEST(H2Flood, origins_are_not_counted) {
    TowardsOrigin origin;
    for (int i = 0; i < 500; ++i) {
        ASSERT_TRUE(origin.receive(frame(FrameType::ping, 0, 0, "12345678")));
        bytes_of(origin.session);
    }
}

}  // namespace
}  // namespace edgecase::h2
