#include "h1/body_decoder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "h1/limits.hpp"
#include "h1/rule.hpp"
#include "http/message.hpp"

namespace edgecase::h1 {
namespace {

using http::Framing;
using State = BodyDecoder::State;
using namespace std::string_view_literals;

constexpr HeadLimits kTrailers{
    .start_line_bytes = 0, .line_bytes = 40, .section_bytes = 60, .field_count = 3};

/// What a decoder made of a body, as far as it may not depend on how the bytes arrived.
struct Result {
    State state = State::more;
    std::string payload;
    uint64_t consumed = 0;  // of a body that did not fail
    Rule rule = Rule::none;
    uint64_t offset = 0;
    std::string trailers;

    bool operator==(const Result&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Result& result) {
    return out << "state " << int{static_cast<uint8_t>(result.state)} << ", "
               << result.payload.size() << " bytes of payload, consumed " << result.consumed
               << ", rule " << to_string(result.rule) << ", offset " << result.offset
               << ", trailers " << result.trailers;
}

/// Feeds `bytes` from their own allocation, as the contract says: again with the rest until done.
void feed(BodyDecoder& decoder, std::string_view bytes, Result& result) {
    const std::unique_ptr<char[]> storage(new char[bytes.size()]);
    std::ranges::copy(bytes, storage.get());
    std::string_view rest(storage.get(), bytes.size());
    while (!rest.empty() && decoder.state() == State::more) {
        const BodyDecoder::Step step = decoder.next(rest);
        EXPECT_EQ(step.state, decoder.state());
        EXPECT_LE(step.consumed, rest.size());
        EXPECT_TRUE(step.consumed > 0 || step.state != State::more) << "no progress";
        result.payload += step.payload;
        rest.remove_prefix(step.consumed);
    }
}

Result settle(const BodyDecoder& decoder, Result result) {
    result.state = decoder.state();
    EXPECT_EQ(decoder.payload_bytes(), result.payload.size());
    if (result.state == State::failed) {
        result.rule = decoder.error().rule;
        result.offset = decoder.error().offset;
    } else {
        result.consumed = decoder.body_offset();
        EXPECT_EQ(decoder.error().rule, Rule::none);
    }
    for (const http::FieldView& field : decoder.trailers()) {
        result.trailers += std::string(field.name) + "=[" + std::string(field.value) + "]";
    }
    return result;
}

BodyDecoder decoder_for(Framing framing, const HeadLimits& limits = kTrailers) {
    BodyDecoder decoder;
    decoder.reset(framing, limits);
    return decoder;
}

/// Decodes at once, byte by byte, and split at each position; expects one result, and returns it.
Result decode(std::string_view bytes, Framing framing = Framing::chunked(),
              const HeadLimits& limits = kTrailers) {
    BodyDecoder whole = decoder_for(framing, limits);
    Result at_once;
    feed(whole, bytes, at_once);
    const Result expected = settle(whole, at_once);

    BodyDecoder dripped = decoder_for(framing, limits);
    Result drip;
    for (size_t at = 0; at < bytes.size(); ++at) feed(dripped, bytes.substr(at, 1), drip);
    EXPECT_EQ(settle(dripped, drip), expected) << "byte by byte: " << bytes;

    const size_t step = bytes.size() > 2000 ? 97 : 1;
    for (size_t split = 1; split < bytes.size(); split += step) {
        BodyDecoder decoder = decoder_for(framing, limits);
        Result result;
        feed(decoder, bytes.substr(0, split), result);
        feed(decoder, bytes.substr(split), result);
        EXPECT_EQ(settle(decoder, result), expected) << "split at " << split << ": " << bytes;
    }
    return expected;
}

void expect_breach(std::string_view bytes, Rule rule, uint64_t offset,
                   std::string_view payload = {}) {
    const Result result = decode(bytes);
    EXPECT_EQ(result.state, State::failed) << bytes;
    EXPECT_EQ(to_string(result.rule), to_string(rule)) << bytes;
    EXPECT_EQ(result.offset, offset) << bytes;
    EXPECT_EQ(result.payload, payload) << bytes;
}

void expect_body(std::string_view bytes, std::string_view payload, size_t consumed) {
    const Result result = decode(bytes);
    EXPECT_EQ(result.state, State::done) << bytes << to_string(result.rule);
    EXPECT_EQ(result.payload, payload) << bytes;
    EXPECT_EQ(result.consumed, consumed) << bytes;
}

ParseError error_of(std::string_view bytes) {
    BodyDecoder decoder = decoder_for(Framing::chunked());
    Result result;
    feed(decoder, bytes, result);
    return decoder.error();
}

TEST(PlainBody, without_a_body_is_done_at_once) {
    EXPECT_EQ(decoder_for(Framing::empty()).state(), State::done);
    EXPECT_EQ(decoder_for(Framing::of_length(0)).state(), State::done);
    BodyDecoder decoder = decoder_for(Framing::empty());
    EXPECT_EQ(decoder.next("next response").consumed, 0);
    EXPECT_TRUE(decoder.finish());
}

TEST(PlainBody, of_a_length_ends_there) {
    const Result result = decode("helloHTTP/1.1 200", Framing::of_length(5));
    EXPECT_EQ(result.state, State::done);
    EXPECT_EQ(result.payload, "hello");
    EXPECT_EQ(result.consumed, 5);
}

TEST(PlainBody, that_stops_short_knows_what_is_missing) {
    BodyDecoder decoder = decoder_for(Framing::of_length(10));
    Result result;
    feed(decoder, "hell", result);
    EXPECT_EQ(decoder.remaining_bytes(), 6);
    EXPECT_FALSE(decoder.finish());
    EXPECT_EQ(decoder.state(), State::more);
}

TEST(PlainBody, until_close_ends_with_the_connection) {
    BodyDecoder decoder = decoder_for(Framing::until_close());
    Result result;
    feed(decoder, "0\r\n\r\nanything", result);
    EXPECT_EQ(result.payload, "0\r\n\r\nanything");
    EXPECT_EQ(decoder.state(), State::more);
    EXPECT_TRUE(decoder.finish());
    EXPECT_EQ(decoder.state(), State::done);
}

TEST(ChunkedBody, yields_the_payload_and_stops_at_the_end) {
    expect_body("5\r\nhello\r\n0\r\n\r\n", "hello", 15);
    expect_body("5\r\nhello\r\n0\r\n\r\nHTTP/1.1", "hello", 15);
    expect_body("0\r\n\r\n", "", 5);
    expect_body("000\r\n\r\n", "", 7);
    expect_body("A\r\n0123456789\r\na\r\n\r\n23456\r\n9\r\n0\r\n\r\n", "0123456789\r\n23456\r\n9",
                35);
    expect_body("0000000000000001\r\nx\r\n0\r\n\r\n", "x", 26);
}

TEST(ChunkedBody, one_chunk_and_the_end_are_one_step) {
    BodyDecoder decoder = decoder_for(Framing::chunked());
    const BodyDecoder::Step step = decoder.next("5\r\nhello\r\n0\r\n\r\n");
    EXPECT_EQ(step.consumed, 15);
    EXPECT_EQ(step.payload, "hello");
    EXPECT_EQ(step.state, State::done);
}

TEST(ChunkedBody, that_stops_short_is_no_proper_end) {
    for (const std::string_view bytes :
         {"", "5", "5\r\n", "5\r\nhel", "5\r\nhello", "5\r\nhello\r\n", "5\r\nhello\r\n0\r\n",
          "5\r\nhello\r\n0\r\n\r"}) {
        BodyDecoder decoder = decoder_for(Framing::chunked());
        Result result;
        feed(decoder, bytes, result);
        EXPECT_FALSE(decoder.finish()) << bytes;
        EXPECT_EQ(decoder.state(), State::more) << bytes;
    }
}

TEST(ChunkedBody, sizes_are_plain_hexadecimal_digits) {
    expect_breach("\r\n", Rule::bad_chunk_size, 0);
    expect_breach("xyz\r\n", Rule::bad_chunk_size, 0);
    expect_breach("-1\r\n", Rule::bad_chunk_size, 0);
    expect_breach("+1\r\nx", Rule::bad_chunk_size, 0);
    expect_breach(" 5\r\nhello", Rule::bad_chunk_size, 0);
    expect_breach("0x5\r\nhello", Rule::bad_chunk_size, 1);
    expect_breach("5g\r\nhello", Rule::bad_chunk_size, 1);
    expect_breach("5 \r\nhello", Rule::bad_chunk_size, 1);
    expect_breach("5 ;a\r\nhello", Rule::bad_chunk_size, 1);
    expect_breach("5\nhello\r\n", Rule::bad_chunk_size, 1);
    expect_breach("5\rhello\r\n", Rule::bad_chunk_size, 2);
    expect_breach("5\0\r\n"sv, Rule::bad_chunk_size, 1);
    expect_breach(";a\r\n", Rule::bad_chunk_size, 0);
    expect_breach("<html>", Rule::bad_chunk_size, 0);
    expect_breach("00000000000000001\r\nx", Rule::bad_chunk_size, 16);
    expect_breach("8000000000000000\r\nx", Rule::bad_chunk_size, 15);
    expect_breach("FFFFFFFFFFFFFFFF\r\nx", Rule::bad_chunk_size, 15);
    const Result largest = decode("7FFFFFFFFFFFFFFF\r\nx");
    EXPECT_EQ(largest.state, State::more);
    EXPECT_EQ(largest.payload, "x");
}

TEST(ChunkedBody, data_is_followed_by_crlf) {
    expect_breach("5\r\nhelloX\r\n", Rule::bad_chunk_end, 8, "hello");
    expect_breach("5\r\nhello\n0\r\n\r\n", Rule::bad_chunk_end, 8, "hello");
    expect_breach("5\r\nhello\rX", Rule::bad_chunk_end, 9, "hello");
    expect_breach("3\r\nhello\r\n", Rule::bad_chunk_end, 6, "hel");
    expect_breach("5\r\nhello\r\nq\r\n", Rule::bad_chunk_size, 10, "hello");
}

TEST(ChunkedBody, extensions_are_read_over_but_bounded) {
    expect_body("5;a=b;c=\"d\t e\"\r\nhello\r\n0;z\r\n\r\n", "hello", 30);
    expect_body("5;\r\nhello\r\n0\r\n\r\n", "hello", 16);
    expect_breach("5;a\x01\r\n", Rule::bad_chunk_extension, 3);
    expect_breach("5;a\nhello", Rule::bad_chunk_extension, 3);
    expect_breach("5;a\xc3\xa4\r\n", Rule::bad_chunk_extension, 3);
    expect_breach("5;a\0\r\n"sv, Rule::bad_chunk_extension, 3);
    expect_breach("5;a\rb\r\n", Rule::bad_chunk_size, 4);
    // The bound is on all of them together.
    const std::string half(BodyDecoder::kMaxExtensionBytes / 2, 'e');
    const std::string two = "1;" + half + "\r\nx\r\n1;" + half;
    expect_body(two + "\r\ny\r\n0\r\n\r\n", "xy", two.size() + 10);
    expect_breach(two + "e", Rule::bad_chunk_extension, two.size(), "x");
    EXPECT_EQ(error_of(two + "e").limit, BodyDecoder::kMaxExtensionBytes);
}

TEST(Trailers, are_fields_after_the_last_chunk) {
    const Result result = decode("1\r\nx\r\n0\r\nA: b\r\nServer-Timing:  c \r\n\r\nHTTP");
    EXPECT_EQ(result.state, State::done);
    EXPECT_EQ(result.trailers, "A=[b]Server-Timing=[c]");
    EXPECT_EQ(result.consumed, 37);
}

TEST(Trailers, are_as_strict_as_the_fields_of_a_head) {
    expect_breach("0\r\nA : b\r\n\r\n", Rule::bad_trailer, 4);
    expect_breach("0\r\nA b\r\n\r\n", Rule::bad_trailer, 6);
    expect_breach("0\r\nA: b\n\n", Rule::bad_trailer, 7);
    expect_breach("0\r\n\n", Rule::bad_trailer, 3);
    expect_breach("0\r\n\rX", Rule::bad_trailer, 3);
    expect_breach("0\r\nA: b\r\n c\r\n\r\n", Rule::bad_trailer, 9);
    expect_breach("1\r\nx\r\n0\r\nA: \0\r\n\r\n"sv, Rule::bad_trailer, 12, "x");
    const ParseError error = error_of("1\r\nx\r\n0\r\nA: b\x01zz\r\n\r\n");
    EXPECT_EQ(error.values, std::vector<std::string>{"control_in_value"});
    EXPECT_EQ(error.field, "A");
    EXPECT_EQ(error.sample.first_offset, 9);
    EXPECT_EQ(error.sample.error_offset, 13);
    EXPECT_EQ(error.sample.bytes, "A: b\x01zz\r\n\r\n");
}

TEST(Trailers, may_not_frame_route_or_hop) {
    for (const std::string_view name : {"Content-Length", "transfer-encoding", "Host", "Trailer",
                                        "Connection", "TE", "Upgrade", "Expect"}) {
        expect_breach("0\r\nA: b\r\n" + std::string(name) + ": 1\r\n\r\n", Rule::bad_trailer, 9);
    }
    EXPECT_EQ(error_of("0\r\nContent-Length: 1\r\n\r\n").field, "Content-Length");
}

TEST(Trailers, have_the_limits_of_a_head) {
    const std::string line = "A: " + std::string(37, 'x') + "\r\n";  // 40 bytes and CRLF
    EXPECT_EQ(decode("0\r\n" + line + "\r\n").state, State::done);
    expect_breach("0\r\nAA: " + std::string(37, 'x') + "\r\n\r\n", Rule::trailers_too_large, 43);
    EXPECT_EQ(decode("0\r\n" + line + "B: " + std::string(13, 'y') + "\r\n\r\n").state,
              State::done);
    expect_breach("0\r\n" + line + "B: " + std::string(14, 'y') + "\r\n\r\n",
                  Rule::trailers_too_large, 61);
    expect_breach("0\r\na:\r\nb:\r\nc:\r\nd:\r\n\r\n", Rule::trailers_too_large, 15);
    const ParseError error = error_of("0\r\nAA: " + std::string(37, 'x') + "\r\n\r\n");
    EXPECT_EQ(error.limit, 40);
    EXPECT_EQ(error.seen, 41);
    EXPECT_EQ(error.largest_fields, std::vector<std::string>{"AA: 41 bytes"});
}

TEST(ChunkedBody, errors_count_from_the_first_byte_of_the_body) {
    BodyDecoder decoder = decoder_for(Framing::chunked());
    Result result;
    feed(decoder, "5\r\nhello\r\n", result);
    feed(decoder, "5\r\nworld\r\n", result);
    feed(decoder, "nope\r\n", result);
    EXPECT_EQ(decoder.error().offset, 20);
    EXPECT_EQ(decoder.error().sample.first_offset, 20);
    EXPECT_EQ(decoder.error().sample.error_offset, 20);
    EXPECT_EQ(decoder.error().sample.bytes, "nope\r\n");
}

TEST(ChunkedBody, a_decoder_is_used_again_after_reset) {
    BodyDecoder decoder = decoder_for(Framing::chunked());
    Result first;
    feed(decoder, "0\r\nA: b\r\n\r\n", first);
    EXPECT_EQ(decoder.trailers().size(), 1);
    decoder.reset(Framing::chunked(), kTrailers);
    EXPECT_TRUE(decoder.trailers().empty());
    Result second;
    feed(decoder, "q", second);
    EXPECT_EQ(decoder.state(), State::failed);
    decoder.reset(Framing::chunked(), kTrailers);
    Result third;
    feed(decoder, "1\r\nx\r\n0\r\n\r\n", third);
    EXPECT_EQ(settle(decoder, third).payload, "x");
    EXPECT_TRUE(decoder.finish());
}

}  // namespace
}  // namespace edgecase::h1
