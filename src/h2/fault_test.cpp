#include "h2/fault.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "h2/frame_scanner.hpp"
#include "h2/pair_for_tests.hpp"
#include "h2/session.hpp"

namespace edgecase::h2 {
namespace {

using namespace std::string_view_literals;

const Fields kOk = {{":status", "200"}};

Rule rule_for(const std::string& frames, std::string_view method = "GET") {
    TowardsOrigin origin(method);
    origin.receive(frames);
    return origin.rule();
}

Rule connection_rule_for(const std::string& frames) {
    TowardsOrigin origin;
    EXPECT_FALSE(origin.receive(frames));
    EXPECT_EQ(origin.rule(), origin.connection_rule());
    EXPECT_EQ(origin.told.closed, std::vector<uint32_t>{1});
    return origin.connection_rule();
}

TEST(H2StreamFault, forbidden_fields_are_named_with_their_value) {
    for (const std::string name :
         {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"}) {
        TowardsOrigin origin;
        EXPECT_TRUE(origin.receive(headers(1, with(kOk, {{name, "x"}}))));
        ASSERT_EQ(origin.rule(), Rule::forbidden_field) << name;
        EXPECT_EQ(origin.session.stream_fault(1)->field, name + ": x");
        EXPECT_EQ(origin.session.stream_fault(1)->error_code, 1U);
        EXPECT_FALSE(origin.session.stream_fault(1)->is_connection);
        EXPECT_EQ(origin.told.closed, std::vector<uint32_t>{1});
        EXPECT_TRUE(origin.session.frames().lines().back().starts_with("< HEADERS stream 1"));
        bytes_of(origin.session);
        EXPECT_EQ(origin.session.frames().lines().back(),
                  "> RST_STREAM stream 1 flags 0x00 length 4 PROTOCOL_ERROR");
    }
    TowardsClient client;
    client.receive(headers(1, with(kGet, {{"te", "gzip"}}), kWhole));
    EXPECT_EQ(client.rule(1), Rule::forbidden_field);
}

TEST(H2StreamFault, pseudo_fields_of_responses_are_checked) {
    EXPECT_EQ(rule_for(headers(1, {{"a", "b"}})), Rule::bad_pseudo);
    EXPECT_EQ(rule_for(headers(1, {{":status", "200"}, {":status", "200"}})), Rule::bad_pseudo);
    EXPECT_EQ(rule_for(headers(1, {{"a", "b"}, {":status", "200"}})), Rule::bad_pseudo);
    EXPECT_EQ(rule_for(headers(1, with(kOk, {{":new", "b"}}))), Rule::bad_pseudo);
    for (const std::string status : {"", "20", "2000", "2x0", "099", "101", "+20"}) {
        EXPECT_EQ(rule_for(headers(1, {{":status", status}})), Rule::bad_pseudo) << status;
    }
    EXPECT_EQ(rule_for(headers(1, {{":status", "999"}})), Rule::none);
    EXPECT_EQ(rule_for(headers(1, kOk) + headers(1, {{":status", "200"}}, kWhole)),
              Rule::bad_pseudo);
    EXPECT_EQ(rule_for(headers(1, kOk) + headers(1, {{"a", "b"}})), Rule::bad_pseudo);
}

TEST(H2StreamFault, pseudo_fields_of_requests_are_checked) {
    const std::vector<Fields> bad = {
        {{":scheme", "https"}, {":path", "/"}},
        {{":method", "GET"}, {":path", "/"}},
        {{":method", "GET"}, {":scheme", "https"}},
        {{":method", "GET"}, {":scheme", "https"}, {":path", ""}},
        {{":method", "GET"}, {":scheme", "https"}, {":path", "/ HTTP/1.1"}},
        {{":method", "GET"}, {":scheme", "https"}, {":path", "http://b.test/"}},
        {{":method", "GET x"}, {":scheme", "https"}, {":path", "/"}},
        {{":method", "CONNECT"}, {":scheme", "https"}, {":path", "/"}, {":authority", "a:1"}},
        {{":method", "CONNECT"}},
        with(kGet, {{":status", "200"}}),
        with(kGet, {{":protocol", "websocket"}}),
        with(kGet, {{"host", "b.test"}}),
    };
    TowardsClient client;
    uint32_t stream = 1;
    for (const Fields& fields : bad) {
        client.receive(headers(stream, fields, kWhole));
        EXPECT_EQ(client.rule(stream), Rule::bad_pseudo) << stream;
        stream += 2;
    }
    client.receive(headers(stream, with(kGet, {{"host", "a.test"}}), kWhole));
    EXPECT_EQ(client.rule(stream), Rule::none);
    EXPECT_EQ(client.connection_rule(), Rule::none);
}

TEST(H2StreamFault, bytes_that_may_not_be_in_fields_are_found) {
    for (const std::string name : {"Upper", "a b", "", "a:b", "\x7f", "\xc3\xa4"}) {
        EXPECT_EQ(rule_for(headers(1, with(kOk, {{name, "x"}}))), Rule::bad_field) << name;
    }
    for (const std::string value : {"a\r\nb: c", " a", "a ", "\ta", "a\n"}) {
        EXPECT_EQ(rule_for(headers(1, with(kOk, {{"a", value}}))), Rule::bad_field) << value;
    }
    EXPECT_EQ(rule_for(headers(1, with(kOk, {{"a", std::string("x\0y", 3)}}))), Rule::bad_field);
    TowardsOrigin origin;
    origin.receive(headers(1, with(kOk, {{"a", "b\r\nc"}})));
    EXPECT_EQ(origin.session.stream_fault(1)->field, "a: b\\r\\nc");
}

TEST(H2StreamFault, header_lists_beyond_the_limit_are_refused) {
    Limits limits;
    limits.header_list_bytes = 1000;
    TowardsOrigin origin("GET", limits);
    origin.receive(headers(1, with(kOk, {{"a", std::string(900, 'x')}, {"b", "y"}, {"c", "z"}})));
    ASSERT_EQ(origin.rule(), Rule::header_list_size);
    EXPECT_EQ(origin.session.stream_fault(1)->detail, "1043 bytes, allowed 1000");
}

TEST(H2StreamFault, data_is_held_to_content_length) {
    const Fields five = with(kOk, {{"content-length", "5"}});
    EXPECT_EQ(rule_for(headers(1, five) + data(1, "hello", kEndStream)), Rule::none);
    EXPECT_EQ(rule_for(headers(1, five) + data(1, "hell", kEndStream)), Rule::content_length);
    EXPECT_EQ(rule_for(headers(1, five) + data(1, "hello!")), Rule::content_length);
    EXPECT_EQ(rule_for(headers(1, five, kWhole)), Rule::content_length);
    EXPECT_EQ(rule_for(headers(1, five, kWhole), "HEAD"), Rule::none);
    EXPECT_EQ(rule_for(headers(1, five) + data(1, "hello"), "HEAD"), Rule::content_length);
    EXPECT_EQ(rule_for(headers(1, with(five, {{"content-length", "6"}}))), Rule::content_length);
    EXPECT_EQ(rule_for(headers(1, with(five, {{"content-length", "5"}}))), Rule::none);
    for (const std::string value : {"", "-1", "5, 5", "0x5", "99999999999999999999"}) {
        EXPECT_EQ(rule_for(headers(1, with(kOk, {{"content-length", value}}))),
                  Rule::content_length);
    }
}

TEST(H2StreamFault, messages_that_end_early_are_no_messages) {
    EXPECT_EQ(rule_for(headers(1, {{":status", "103"}}, kWhole)), Rule::closed_early);
    EXPECT_EQ(rule_for(headers(1, {{":status", "103"}}) + data(1, "", kEndStream)),
              Rule::closed_early);
    EXPECT_EQ(rule_for(frame(FrameType::rst_stream, 0, 1, number(0))), Rule::closed_early);
    EXPECT_EQ(rule_for(headers(1, kOk) + frame(FrameType::rst_stream, 0, 1, number(0))),
              Rule::closed_early);
    EXPECT_EQ(rule_for(headers(1, kOk, kWhole) + frame(FrameType::rst_stream, 0, 1, number(0))),
              Rule::none);
}

TEST(H2StreamFault, resets_keep_their_code) {
    TowardsOrigin origin;
    origin.receive(headers(1, kOk) + frame(FrameType::rst_stream, 0, 1, number(2)));
    ASSERT_EQ(origin.rule(), Rule::reset);
    EXPECT_EQ(origin.session.stream_fault(1)->error_code, 2U);
    EXPECT_EQ(origin.session.frames().lines().back(),
              "< RST_STREAM stream 1 flags 0x00 length 4 INTERNAL_ERROR");
    EXPECT_EQ(rule_for(frame(FrameType::rst_stream, 0, 1, number(7))), Rule::unprocessed);
}

TEST(H2StreamFault, faults_stay_until_the_stream_is_closed) {
    TowardsOrigin origin;
    origin.receive(headers(1, {{"a", "b"}}));
    bytes_of(origin.session);
    EXPECT_EQ(origin.rule(), Rule::bad_pseudo);
    EXPECT_EQ(origin.session.write(1, "anything"), 8U);
    // What was under way when we reset is no fault.
    EXPECT_TRUE(origin.receive(data(1, "late") + headers(1, {{"a", "b"}}, kWhole)));
    origin.session.close(1, 8);
    EXPECT_EQ(origin.session.stream_fault(1), nullptr);
    EXPECT_EQ(origin.session.open_streams(), 0U);
}

TEST(H2ConnectionFault, goaway_without_error_ends_only_what_was_not_processed) {
    TowardsOrigin origin;
    const uint32_t second = origin.session.open().value_or(0);
    origin.session.write(second, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    bytes_of(origin.session);
    EXPECT_TRUE(origin.receive(frame(FrameType::goaway, 0, 0, number(1) + number(0) + "bye")));
    EXPECT_EQ(origin.rule(), Rule::none);
    ASSERT_NE(origin.session.stream_fault(second), nullptr);
    EXPECT_EQ(origin.session.stream_fault(second)->rule, Rule::unprocessed);
    EXPECT_EQ(origin.session.goaway()->detail, "bye");
    EXPECT_FALSE(origin.session.can_open());
    EXPECT_TRUE(origin.receive(headers(1, kOk, kWhole)));
    EXPECT_TRUE(origin.session.ended(1));
}

TEST(H2ConnectionFault, goaway_with_an_error_ends_the_connection) {
    TowardsOrigin origin;
    const uint32_t second = origin.session.open().value_or(0);
    EXPECT_FALSE(origin.receive(frame(FrameType::goaway, 0, 0, number(1) + number(11) + "calm")));
    EXPECT_EQ(origin.rule(), Rule::goaway);
    EXPECT_EQ(origin.session.stream_fault(second)->rule, Rule::unprocessed);
    EXPECT_EQ(origin.session.fault()->error_code, 11U);
    EXPECT_EQ(origin.session.fault()->last_stream_id, 1U);
    EXPECT_EQ(origin.session.fault()->detail, "calm");
}

TEST(H2ConnectionFault, http1_bytes_are_no_http2) {
    Told told;
    Session session(Role::client, {}, told);
    const base::FakeClock clock;
    EXPECT_FALSE(session.receive("HTTP/1.1 400 Bad Request\r\n\r\n", clock.now()));
    EXPECT_EQ(session.fault()->rule, Rule::not_http2);
    EXPECT_NE(session.fault()->detail.find("HTTP/1.1 400 Bad Request\\r\\n"), std::string::npos);

    Session server(Role::server, {}, told);
    EXPECT_FALSE(server.receive("GET / HTTP/1.1\r\nHost: a\r\n\r\n", clock.now()));
    EXPECT_EQ(server.fault()->rule, Rule::not_http2);

    Session first(Role::client, {}, told);
    EXPECT_FALSE(first.receive(frame(FrameType::ping, 0, 0, "12345678"), clock.now()));
    EXPECT_EQ(first.fault()->rule, Rule::not_http2);
    EXPECT_NE(bytes_of(first), "");
}

TEST(H2ConnectionFault, frames_of_wrong_size) {
    EXPECT_EQ(connection_rule_for(frame(FrameType::data, 0, 1, std::string(16385, 'x'))),
              Rule::frame_size);
    EXPECT_EQ(connection_rule_for(frame(FrameType::ping, 0, 0, "1234567")), Rule::frame_size);
    EXPECT_EQ(connection_rule_for(settings("12345")), Rule::frame_size);
    EXPECT_EQ(connection_rule_for(frame(FrameType::rst_stream, 0, 1, "123")), Rule::frame_size);
    EXPECT_EQ(connection_rule_for(frame(FrameType::goaway, 0, 0, "123")), Rule::frame_size);
}

TEST(H2ConnectionFault, windows_are_held) {
    const std::string grow = frame(FrameType::window_update, 0, 0, number(0x7fffffff));
    EXPECT_EQ(connection_rule_for(grow + grow), Rule::flow_control);
    Limits limits;
    limits.stream_window_bytes = limits.connection_window_bytes = 65535;
    TowardsOrigin origin("GET", limits);
    std::string bytes = headers(1, kOk);
    for (int i = 0; i < 4; ++i) bytes += data(1, std::string(16384, 'x'));
    EXPECT_FALSE(origin.receive(bytes));
    EXPECT_EQ(origin.connection_rule(), Rule::flow_control);
}

TEST(H2ConnectionFault, header_blocks_that_cannot_be_decoded) {
    EXPECT_EQ(
        connection_rule_for(frame(FrameType::headers, kEndHeaders, 1, "\xff\xff\xff\xff\xff")),
        Rule::compression);
    EXPECT_EQ(connection_rule_for(frame(FrameType::headers, kEndHeaders, 1, "\xc6")),
              Rule::compression);
}

TEST(H2ConnectionFault, header_blocks_of_reset_streams_must_be_decodable_too) {
    TowardsOrigin origin;
    origin.session.close(1, 8);
    bytes_of(origin.session);
    origin.receive(frame(FrameType::headers, kEndHeaders, 1, "\xc6"));
    bytes_of(origin.session);
    EXPECT_EQ(origin.connection_rule(), Rule::compression);
}

TEST(H2ConnectionFault, frames_on_closed_streams) {
    EXPECT_EQ(connection_rule_for(frame(FrameType::rst_stream, 0, 3, number(0))),
              Rule::closed_stream);
    EXPECT_EQ(connection_rule_for(data(5, "x")), Rule::closed_stream);
    EXPECT_EQ(connection_rule_for(headers(2, kOk)), Rule::closed_stream);
    for (const std::string& late : {data(1, "x"), headers(1, kOk)}) {
        for (const std::string& end :
             {headers(1, kOk, kWhole), frame(FrameType::rst_stream, 0, 1, number(2))}) {
            TowardsOrigin origin;
            EXPECT_TRUE(origin.receive(end));
            EXPECT_FALSE(origin.receive(late));
            EXPECT_EQ(origin.connection_rule(), Rule::closed_stream);
            EXPECT_EQ(origin.session.fault()->error_code, 5U);
        }
    }
    TowardsClient client;
    EXPECT_TRUE(client.receive(headers(1, kGet, kWhole)));
    EXPECT_FALSE(client.receive(data(1, "x")));
    EXPECT_EQ(client.connection_rule(), Rule::closed_stream);
}

TEST(H2ConnectionFault, misplaced_frames) {
    EXPECT_EQ(connection_rule_for(frame(FrameType::continuation, kEndHeaders, 1, "")),
              Rule::protocol);
    EXPECT_EQ(connection_rule_for(headers(1, kOk, 0) + data(1, "")), Rule::protocol);
    EXPECT_EQ(connection_rule_for(data(0, "x")), Rule::protocol);
    EXPECT_EQ(connection_rule_for(data(1, "x")), Rule::protocol);
    EXPECT_EQ(connection_rule_for(frame(FrameType::settings, 0, 1, "")), Rule::protocol);
    EXPECT_EQ(connection_rule_for(frame(FrameType::push_promise, kEndHeaders, 1, number(2))),
              Rule::protocol);
    EXPECT_EQ(connection_rule_for(headers(1, kOk) + data(1, "\x05hell"sv, kPadded)),
              Rule::protocol);
    EXPECT_EQ(connection_rule_for(frame(FrameType::window_update, 0, 0, number(0))),
              Rule::protocol);
    EXPECT_EQ(connection_rule_for(settings(number(2, 2) + number(7))), Rule::protocol);
}

TEST(H2ConnectionFault, unknown_frames_are_ignored) {
    TowardsOrigin origin;
    EXPECT_TRUE(origin.receive(frame(static_cast<FrameType>(0x2a), 0xff, 7, "whatever")));
    EXPECT_EQ(origin.session.frames().lines().back(), "< 0x2a stream 7 flags 0xff length 8");
}

TEST(H2ConnectionFault, origin_that_allows_no_streams_is_asked_for_none) {
    TowardsOrigin origin;
    EXPECT_TRUE(origin.receive(settings(number(3, 2) + number(0))));
    EXPECT_EQ(origin.session.peer_stream_limit(), 0U);
    EXPECT_FALSE(origin.session.can_open());
    EXPECT_EQ(origin.session.fault(), std::nullopt);
}

TEST(H2Fault, names) {
    EXPECT_EQ(to_string(Rule::forbidden_field), "forbidden_field");
    EXPECT_EQ(error_code_name(1), "PROTOCOL_ERROR");
    EXPECT_EQ(error_code_name(13), "HTTP_1_1_REQUIRED");
    EXPECT_EQ(error_code_name(0x1234), "0x1234");
}

}  // namespace
}  // namespace edgecase::h2
