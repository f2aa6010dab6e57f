#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "h2/fault.hpp"
#include "h2/frame_scanner.hpp"
#include "h2/pair_for_tests.hpp"
#include "h2/session.hpp"

namespace edgecase::h2 {
namespace {

constexpr std::string_view kGetText =
    "GET /a?b HTTP/1.1\r\nHost: a.test\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n";

TEST(H2Exchange, get_travels_as_text_both_ways) {
    Pair pair;
    const uint32_t id = pair.request(kGetText);
    ASSERT_EQ(pair.at_server.opened, std::vector<uint32_t>{id});
    EXPECT_EQ(take(pair.server, id), "GET /a?b HTTP/1.1\r\nhost: a.test\r\naccept: */*\r\n\r\n");
    EXPECT_TRUE(pair.server.ended(id));
    pair.respond(id, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nServer: x\r\n\r\nhello");
    EXPECT_EQ(take(pair.client, id),
              "HTTP/1.1 200 OK\r\nserver: x\r\ncontent-length: 5\r\n\r\nhello");
    EXPECT_TRUE(pair.client.ended(id));
    EXPECT_TRUE(pair.client.sent_whole(id));
    EXPECT_TRUE(pair.server.sent_whole(id));
    pair.client.close(id, 0);
    pair.server.close(id, 0);
    EXPECT_EQ(pair.client.open_streams(), 0U);
    EXPECT_EQ(bytes_of(pair.client), "");
    EXPECT_EQ(bytes_of(pair.server), "");
    EXPECT_TRUE(pair.at_client.closed.empty());
    EXPECT_TRUE(pair.at_server.closed.empty());
}

TEST(H2Exchange, text_written_byte_by_byte_gives_the_same_message) {
    Pair pair;
    const uint32_t id = pair.client.open().value_or(0);
    for (const char c : kGetText) pair.client.write(id, {&c, 1});
    pair.pump();
    EXPECT_EQ(take(pair.server, id), "GET /a?b HTTP/1.1\r\nhost: a.test\r\naccept: */*\r\n\r\n");
    for (const char c : std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                    "2\r\nhi\r\n0\r\nA: b\r\n\r\n")) {
        pair.server.write(id, {&c, 1});
    }
    pair.pump();
    EXPECT_EQ(take(pair.client, id),
              "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
              "00000002\r\nhi\r\n0\r\na: b\r\n\r\n");
}

TEST(H2Exchange, bytes_received_one_by_one_give_the_same_message) {
    Told told;
    Session session(Role::server, {}, told);
    const base::FakeClock clock;
    const std::string bytes = std::string(kPreface) + settings() + headers(1, kGet) +
                              data(1, "hello") + headers(1, {{"x-sum", "1"}}, kWhole);
    for (const char c : bytes) ASSERT_TRUE(session.receive({&c, 1}, clock.now()));
    EXPECT_EQ(take(session, 1),
              "GET / HTTP/1.1\r\nhost: a.test\r\ntransfer-encoding: chunked\r\n\r\n"
              "00000005\r\nhello\r\n0\r\nx-sum: 1\r\n\r\n");
}

TEST(H2Exchange, response_to_head_keeps_its_length_and_has_no_body) {
    Pair pair;
    const uint32_t id = pair.request("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    pair.respond(id, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n");
    EXPECT_EQ(take(pair.client, id), "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n");
    EXPECT_TRUE(pair.client.ended(id));
    EXPECT_EQ(pair.client.stream_fault(id), nullptr);
}

TEST(H2Exchange, post_with_length_keeps_raw_bytes) {
    Pair pair;
    const uint32_t id =
        pair.request("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
    EXPECT_EQ(take(pair.server, id),
              "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello");
    EXPECT_TRUE(pair.server.ended(id));
}

TEST(H2Exchange, post_without_body_says_so) {
    TowardsClient client;
    Fields fields = kGet;
    fields[0].second = "POST";
    client.receive(headers(1, fields, kWhole));
    EXPECT_EQ(take(client.session, 1),
              "POST / HTTP/1.1\r\nhost: a.test\r\ncontent-length: 0\r\n\r\n");
}

TEST(H2Exchange, upload_in_chunks_arrives_chunked_with_trailers) {
    Pair pair;
    const uint32_t id = pair.request(
        "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\n"
        "Connection: TE\r\n\r\n3\r\nabc\r\n");
    EXPECT_EQ(take(pair.server, id),
              "PUT / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n"
              "te: trailers\r\nconnection: te\r\n\r\n00000003\r\nabc");
    EXPECT_FALSE(pair.server.ended(id));
    pair.client.write(id, "2\r\nde\r\n0\r\nX-Sum: 9\r\n\r\n");
    pair.pump();
    EXPECT_EQ(take(pair.server, id), "\r\n00000002\r\nde\r\n0\r\nx-sum: 9\r\n\r\n");
    EXPECT_TRUE(pair.server.ended(id));
}

TEST(H2Exchange, interim_responses_come_before_the_final_one) {
    Pair pair;
    const uint32_t id = pair.request(kGetText);
    pair.respond(id, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No\r\n\r\n");
    EXPECT_EQ(take(pair.client, id),
              "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n");
    EXPECT_TRUE(pair.client.ended(id));
}

TEST(H2Exchange, cookies_are_joined_again) {
    TowardsClient client;
    client.receive(
        headers(1, with(kGet, {{"cookie", "a=1"}, {"x", "y"}, {"cookie", "b=2"}}), kWhole));
    EXPECT_EQ(take(client.session, 1),
              "GET / HTTP/1.1\r\nhost: a.test\r\nx: y\r\ncookie: a=1; b=2\r\n\r\n");
}

TEST(H2Exchange, connect_is_passed_as_text) {
    TowardsClient client;
    client.receive(headers(1, {{":method", "CONNECT"}, {":authority", "a.test:443"}}));
    EXPECT_EQ(take(client.session, 1), "CONNECT a.test:443 HTTP/1.1\r\nhost: a.test:443\r\n\r\n");
    client.session.write(1, "HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n");
    client.session.close(1, 0);
    EXPECT_NE(bytes_of(client.session), "");
    EXPECT_EQ(client.session.fault(), std::nullopt);
}

TEST(H2Exchange, large_body_stops_at_a_reader_who_does_not_read) {
    Limits limits;
    limits.stream_window_bytes = 128 * 1024;
    Pair pair(limits);
    constexpr size_t kSize = size_t{2} << 20;
    const uint32_t id = pair.request(kGetText);
    std::string text = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kSize) + "\r\n\r\n";
    for (size_t i = 0; i < kSize; ++i) text += static_cast<char>('a' + i % 23);
    std::string_view left = text;
    for (int i = 0; i < 20; ++i) {
        left.remove_prefix(pair.server.write(id, left));
        pair.pump();
    }
    EXPECT_LT(pair.client.readable(id).size(), limits.stream_window_bytes + 1000);
    EXPECT_GT(left.size(), kSize / 2);
    // Others go on meanwhile.
    const uint32_t other = pair.request(kGetText);
    pair.respond(other, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    EXPECT_TRUE(pair.client.ended(other));

    std::string seen;
    for (int i = 0; i < 1000 && !pair.client.ended(id); ++i) {
        seen += take(pair.client, id);
        left.remove_prefix(pair.server.write(id, left));
        pair.pump();
    }
    seen += take(pair.client, id);
    EXPECT_TRUE(left.empty());
    EXPECT_FALSE(pair.at_server.writable.empty());
    EXPECT_EQ(seen.substr(seen.find("\r\n\r\n") + 4), text.substr(text.find("\r\n\r\n") + 4));
}

TEST(H2Exchange, readers_who_stop_hold_no_window_but_their_own) {
    Limits limits;
    limits.stream_window_bytes = limits.connection_window_bytes = 128 * 1024;
    Pair pair(limits);
    const std::string body(100000, 'x');
    const std::string text = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + body;
    for (int i = 0; i < 5; ++i) {
        const uint32_t id = pair.request(kGetText);
        std::string_view left = text;
        while (!left.empty()) {
            const size_t taken = pair.server.write(id, left);
            left.remove_prefix(taken);
            pair.pump();
            ASSERT_GT(taken, 0U) << "stream " << id;
        }
        EXPECT_TRUE(pair.client.ended(id));
    }
}

TEST(H2Exchange, small_frames_do_not_multiply_in_memory) {
    TowardsOrigin origin;
    origin.receive(headers(1, {{":status", "200"}}));
    for (int i = 0; i < 1000; ++i) origin.receive(data(1, "x"));
    EXPECT_LT(origin.session.readable(1).size(), 1100U);
    origin.receive(data(1, "yz", kEndStream));
    const std::string text = take(origin.session, 1);
    EXPECT_NE(text.find("\r\n000003e8\r\nx"), std::string::npos);
    EXPECT_TRUE(text.ends_with("x\r\n00000002\r\nyz\r\n0\r\n\r\n"));
}

TEST(H2Exchange, streams_beyond_the_limit_wait) {
    Limits limits;
    limits.concurrent_streams = 4;
    Pair pair(limits);
    std::vector<uint32_t> ids;
    while (pair.client.can_open()) ids.push_back(pair.request(kGetText));
    EXPECT_EQ(ids.size(), 4U);
    EXPECT_EQ(pair.client.open(), std::nullopt);
    pair.respond(ids[2], "HTTP/1.1 204 x\r\n\r\n");
    EXPECT_TRUE(pair.client.can_open());
}

TEST(H2Exchange, hundreds_of_streams_one_after_the_other) {
    Pair pair;
    for (int round = 0; round < 50; ++round) {
        std::vector<uint32_t> ids;
        for (int i = 0; i < 20; ++i) ids.push_back(pair.request(kGetText));
        std::ranges::reverse(ids);
        for (const uint32_t id : ids) {
            pair.respond(id, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            EXPECT_TRUE(take(pair.client, id).ends_with("\r\n\r\nok"));
            pair.client.close(id, 0);
            pair.server.close(id, 0);
        }
    }
    EXPECT_EQ(pair.client.open_streams(), 0U);
    EXPECT_EQ(pair.server.open_streams(), 0U);
    EXPECT_FALSE(pair.client.fault() || pair.server.fault());
}

TEST(H2Exchange, heads_that_become_whole_out_of_order_are_sent) {
    Pair pair;
    const uint32_t first = pair.client.open().value_or(0);
    const uint32_t second = pair.client.open().value_or(0);
    pair.client.write(first, "GET /first HTTP/1.1\r\n");
    pair.client.write(second, "GET /second HTTP/1.1\r\nHost: a\r\n\r\n");
    pair.client.write(first, "Host: a\r\n\r\n");
    pair.pump();
    EXPECT_TRUE(take(pair.server, 1).starts_with("GET /second"));
    EXPECT_TRUE(take(pair.server, 3).starts_with("GET /first"));
    pair.respond(1, "HTTP/1.1 202 x\r\nContent-Length: 0\r\n\r\n");
    EXPECT_TRUE(take(pair.client, second).starts_with("HTTP/1.1 202"));
    EXPECT_TRUE(pair.client.ended(second));
    EXPECT_FALSE(pair.client.ended(first));
}

TEST(H2Exchange, response_written_and_closed_at_once_still_goes_out) {
    Pair pair;
    const uint32_t id =
        pair.request("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\npart");
    pair.server.write(id, "HTTP/1.1 413 x\r\nContent-Length: 3\r\n\r\nbig");
    pair.server.close(id, 8);
    EXPECT_EQ(pair.server.open_streams(), 0U);
    pair.pump();
    EXPECT_TRUE(take(pair.client, id).ends_with("\r\n\r\nbig"));
    EXPECT_TRUE(pair.client.ended(id));
    EXPECT_EQ(pair.client.stream_fault(id), nullptr);
    EXPECT_EQ(pair.client.write(id, "rest"), 4U);
}

TEST(H2Exchange, closing_unfinished_streams_resets_them) {
    Pair pair;
    const uint32_t id = pair.request(kGetText);
    pair.client.close(id, 8);
    pair.pump();
    ASSERT_NE(pair.server.stream_fault(id), nullptr);
    EXPECT_EQ(pair.server.stream_fault(id)->rule, Rule::reset);
    EXPECT_EQ(pair.server.stream_fault(id)->error_code, 8U);
    EXPECT_EQ(pair.at_server.closed, std::vector<uint32_t>{id});
    pair.server.close(id, 0);
    EXPECT_TRUE(pair.client.can_open());
}

TEST(H2Exchange, streams_closed_within_their_header_block_leave_the_others_alone) {
    for (const bool sent : {false, true}) {
        TowardsOrigin origin;
        EXPECT_TRUE(origin.receive(headers(1, {{":status", "200"}}, 0)));
        origin.session.close(1, 8);
        if (sent) bytes_of(origin.session);
        EXPECT_TRUE(
            origin.receive(frame(FrameType::continuation, kEndHeaders, 1, block({{"a", "b"}}))));
        EXPECT_TRUE(origin.session.can_open());
    }
}

TEST(H2Exchange, ping_is_answered) {
    Pair pair;
    pair.client.send_ping();
    pair.pump();
    EXPECT_EQ(pair.at_client.ping_acks, 1);
    EXPECT_EQ(pair.at_client.settings, 1);
    EXPECT_EQ(pair.client.peer_stream_limit(), Limits().concurrent_streams);
}

TEST(H2Exchange, shut_down_lets_running_streams_end) {
    Pair pair;
    const uint32_t id = pair.request(kGetText);
    pair.server.shut_down();
    pair.pump();
    EXPECT_EQ(pair.at_client.goaways, 1);
    EXPECT_FALSE(pair.client.can_open());
    EXPECT_TRUE(pair.client.going_away());
    pair.respond(id, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    EXPECT_TRUE(pair.client.ended(id));
    EXPECT_EQ(pair.client.fault(), std::nullopt);
}

TEST(H2Exchange, secrets_do_not_enter_the_shared_table) {
    Pair pair;
    const std::string text =
        "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic abcdefghijklmnop\r\n"
        "Cookie: session=abcdefghijklmnop\r\n\r\n";
    pair.client.write(*pair.client.open(), text);
    const size_t first = bytes_of(pair.client).size();
    pair.client.write(*pair.client.open(), text);
    const size_t second = bytes_of(pair.client).size();
    EXPECT_GT(second, 9U + 2 * 12);
    EXPECT_LT(second, first);
}

}  // namespace
}  // namespace edgecase::h2
