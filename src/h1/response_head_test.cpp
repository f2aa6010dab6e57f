#include "h1/response_head.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/sample.hpp"
#include "h1/arrival_for_tests.hpp"
#include "h1/head_lines.hpp"
#include "h1/limits.hpp"
#include "h1/rule.hpp"
#include "http/field_name.hpp"
#include "http/message.hpp"

namespace edgecase::h1 {
namespace {

using http::Framing;
using namespace std::string_view_literals;

constexpr HeadLimits kSmall{
    .start_line_bytes = 40, .line_bytes = 30, .section_bytes = 80, .field_count = 4};

std::string spell(const ResponseHeadParser& parser) {
    const http::ResponseHeadView& head = parser.head();
    std::string text = "1." + std::to_string(head.version_minor) + " " +
                       std::to_string(head.status) + " [" + std::string(head.reason_phrase) + "]";
    for (const http::FieldView& field : head.fields) {
        text += " " + std::string(field.name) + "=[" + std::string(field.value) + "]";
    }
    return text;
}

Outcome outcome(std::string_view bytes, const HeadLimits& limits = {},
                ResponseContext context = {}) {
    return same_however_it_arrives(
        bytes,
        [&] {
            ResponseHeadParser parser;
            parser.reset(limits, context);
            return parser;
        },
        spell);
}

struct Parsed {
    ResponseHeadParser parser;
    Progress progress;
};

Parsed parse(std::string_view bytes, const HeadLimits& limits = {}, ResponseContext context = {}) {
    Parsed parsed;
    parsed.parser.reset(limits, context);
    parsed.progress = parsed.parser.parse(bytes);
    return parsed;
}

void expect_breach(std::string_view bytes, Rule rule, uint64_t offset,
                   const HeadLimits& limits = {}) {
    const Outcome result = outcome(bytes, limits);
    EXPECT_EQ(result.progress, Progress::failed) << bytes;
    EXPECT_EQ(to_string(result.rule), to_string(rule)) << bytes;
    EXPECT_EQ(result.offset, offset) << bytes;
}

void expect_breach_in_field(std::string_view line, Rule rule, size_t offset_in_line) {
    constexpr std::string_view kStart = "HTTP/1.1 200 OK\r\nA: b\r\n";
    expect_breach(std::string(kStart) + std::string(line) + "\r\n\r\n", rule,
                  kStart.size() + offset_in_line);
}

std::string spelled(std::string_view bytes, const HeadLimits& limits = {}) {
    const Outcome result = outcome(bytes, limits);
    EXPECT_EQ(result.progress, Progress::complete) << bytes << to_string(result.rule);
    return result.text;
}

Framing framing_of(std::string_view bytes, ResponseContext context = {}) {
    const Outcome result = outcome(bytes, {}, context);
    EXPECT_EQ(result.progress, Progress::complete) << bytes << to_string(result.rule);
    return parse(bytes, {}, context).parser.head().framing;
}

bool keeps_alive(std::string_view bytes) {
    return parse(bytes).parser.head().keep_alive;
}

TEST(ResponseHead, reads_status_reason_and_fields) {
    EXPECT_EQ(spelled("HTTP/1.1 200 OK\r\nServer: x\r\nX-Empty:\r\nB:\t two words \t\r\n\r\n"),
              "1.1 200 [OK] Server=[x] X-Empty=[] B=[two words]");
    EXPECT_EQ(spelled("HTTP/1.0 404 \r\n\r\n"), "1.0 404 []");
    EXPECT_EQ(spelled("HTTP/1.1 100 Continue\r\n\r\n"), "1.1 100 [Continue]");
    EXPECT_EQ(spelled("HTTP/1.1 599 \x80\xff\tx\r\nA: caf\xc3\xa9\tb\r\n\r\n"),
              "1.1 599 [\x80\xff\tx] A=[caf\xc3\xa9\tb]");
}

TEST(ResponseHead, a_missing_space_before_an_empty_reason_is_forgiven) {
    EXPECT_EQ(spelled("HTTP/1.1 200\r\n\r\n"), "1.1 200 []");
}

TEST(ResponseHead, known_names_are_classified) {
    const Parsed parsed = parse("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nX: 1\r\n\r\n");
    EXPECT_EQ(parsed.parser.head().fields[0].known, http::FieldName::content_length);
    EXPECT_EQ(parsed.parser.head().fields[1].known, http::FieldName::other);
    EXPECT_TRUE(parsed.parser.lines().has(http::FieldName::content_length));
    EXPECT_FALSE(parsed.parser.lines().has(http::FieldName::host));
}

TEST(ResponseHead, consumes_nothing_beyond_the_blank_line) {
    constexpr std::string_view kHead = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    EXPECT_EQ(outcome(std::string(kHead) + "helloHTTP/1.1").head_bytes, kHead.size());
}

TEST(ResponseHead, a_parser_is_used_again_after_reset) {
    Parsed parsed = parse("HTTP/1.1 2OO OK\r\n\r\n");
    EXPECT_EQ(parsed.progress, Progress::failed);
    EXPECT_EQ(parsed.parser.parse("HTTP/1.1 200 OK\r\n\r\n"), Progress::failed);
    parsed.parser.reset({}, {});
    EXPECT_EQ(parsed.parser.parse("HTTP/1.1 204 No Content\r\n\r\n"), Progress::complete);
    EXPECT_EQ(parsed.parser.status(), 204);
    EXPECT_EQ(parsed.parser.error().rule, Rule::none);
}

TEST(ResponseHead, views_follow_a_buffer_that_moves_after_the_end) {
    std::string bytes = "HTTP/1.1 200 OK\r\nA: b\r\n\r\n";
    Parsed parsed = parse(bytes);
    const std::string moved = bytes + "body";
    bytes.assign(bytes.size(), '?');
    EXPECT_EQ(parsed.parser.parse(moved), Progress::complete);
    EXPECT_EQ(spell(parsed.parser), "1.1 200 [OK] A=[b]");
}

TEST(ResponseHead, names_a_bad_version) {
    expect_breach("HTTP/2 200 OK\r\n\r\n", Rule::bad_version, 5);
    expect_breach("HTTP/0.9 200 OK\r\n\r\n", Rule::bad_version, 5);
    expect_breach("HTTP/1,1 200 OK\r\n\r\n", Rule::bad_version, 6);
    expect_breach("HTTP/1.2 200 OK\r\n\r\n", Rule::bad_version, 7);
    expect_breach("HTTP/1.10 200 OK\r\n\r\n", Rule::bad_version, 8);
    expect_breach("HTTP/garbage\r\n\r\n", Rule::bad_version, 5);
    EXPECT_EQ(parse("HTTP/2 200 OK\r\n").parser.error().values, std::vector<std::string>{"HTTP/2"});
}

TEST(ResponseHead, tells_the_ways_a_status_can_be_wrong) {
    expect_breach("HTTP/1.1\r\n\r\n", Rule::status_missing, 8);
    expect_breach("HTTP/1.1 \r\n\r\n", Rule::status_missing, 9);
    expect_breach("HTTP/1.1 abc OK\r\n\r\n", Rule::status_not_numeric, 9);
    expect_breach("HTTP/1.1 OK\r\n\r\n", Rule::status_not_numeric, 9);
    expect_breach("HTTP/1.1 -20 OK\r\n\r\n", Rule::status_not_numeric, 9);
    expect_breach("HTTP/1.1 2x0 OK\r\n\r\n", Rule::status_not_numeric, 10);
    expect_breach("HTTP/1.1 200OK\r\n\r\n", Rule::status_not_numeric, 12);
    expect_breach("HTTP/1.1 2 OK\r\n\r\n", Rule::status_too_short, 10);
    expect_breach("HTTP/1.1 20\r\n\r\n", Rule::status_too_short, 11);
    expect_breach("HTTP/1.1 2000 OK\r\n\r\n", Rule::status_too_long, 12);
    expect_breach("HTTP/1.1 099 OK\r\n\r\n", Rule::status_out_of_range, 9);
    expect_breach("HTTP/1.1 000 OK\r\n\r\n", Rule::status_out_of_range, 9);
    expect_breach("HTTP/1.1 600 OK\r\n\r\n", Rule::status_out_of_range, 9);
    expect_breach("HTTP/1.1 999\r\n\r\n", Rule::status_out_of_range, 9);
    EXPECT_EQ(parse("HTTP/1.1 2000 OK\r\n").parser.error().values,
              std::vector<std::string>{"2000"});
}

TEST(ResponseHead, tells_other_faults_of_the_status_line) {
    expect_breach("HTTP/1.1  200 OK\r\n\r\n", Rule::bad_start_line, 9);
    expect_breach("HTTP/1.1\t200 OK\r\n\r\n", Rule::bad_start_line, 8);
    expect_breach("HTTP/1.1 200\tOK\r\n\r\n", Rule::bad_start_line, 12);
    expect_breach("HTTP/1.1 200 O\0K\r\n\r\n"sv, Rule::bad_reason_phrase, 14);
    expect_breach("HTTP/1.1 200 O\x7fK\r\n\r\n", Rule::bad_reason_phrase, 14);
    expect_breach("HTTP/1.1 200 O\rK\r\n\r\n", Rule::bare_cr, 14);
    expect_breach("HTTP/1.1 200 OK\nA: b\n\n", Rule::bare_lf, 15);
    expect_breach("HTTP/1.1 200\n\n", Rule::bare_lf, 12);
    expect_breach("HTTP/1.1\n\n", Rule::bare_lf, 8);
    expect_breach("HTTP/1.1 20\n", Rule::bare_lf, 11);
    expect_breach("HTTP/1.1\rx", Rule::bare_cr, 8);
}

TEST(ResponseHead, fingerprints_what_is_not_http) {
    const auto kind = [](std::string_view bytes) {
        const Outcome result = outcome(bytes);
        EXPECT_EQ(result.rule, Rule::not_http) << bytes;
        return to_string(result.fingerprint);
    };
    EXPECT_EQ(kind("\x15\x03\x01\0\x02\x02\x28"sv), "tls");
    EXPECT_EQ(kind("\x15\x03\x03"sv), "tls");
    EXPECT_EQ(kind("SSH-2.0-OpenSSH_9.2p1\r\n"), "ssh");
    EXPECT_EQ(kind("220 mail.test ESMTP\r\n"), "smtp");
    EXPECT_EQ(kind("554-no\r\n"), "smtp");
    EXPECT_EQ(kind("<!DOCTYPE html><html>"), "html");
    EXPECT_EQ(kind("\r\n <html><body>"), "html");
    EXPECT_EQ(kind("\xef\xbb\xbf<html>"), "html");
    EXPECT_EQ(kind("<?php echo 1;"), "html");
    EXPECT_EQ(kind("\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x64"sv), "h2");
    EXPECT_EQ(kind("\0\0\x08\x07\0\0\0\0\0"sv), "h2");
    EXPECT_EQ(kind("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "h2");
    EXPECT_EQ(kind("PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n"), "proxy_protocol");
    EXPECT_EQ(kind("\r\n\r\n\0\r\nQUIT\n\x21\x11"sv), "proxy_protocol");
    EXPECT_EQ(kind("Fatal error: out of memory in a.php"), "text");
    EXPECT_EQ(kind("http/1.1 200 OK\r\nA: b\r\n\r\n"), "text");
    EXPECT_EQ(kind("ICY 200 OK\r\nicy-notice1: x\r\n"), "text");
    EXPECT_EQ(kind("Fehler: \xc3\xa4\xc3\xb6\xc3\xbc und noch mehr davon"), "text");
    EXPECT_EQ(kind("\x1f\x8b\x08\0"sv), "binary");
    EXPECT_EQ(kind("abc\xff\xfe\xfd zyxwvutsrqponmlkjih"), "binary");
    EXPECT_EQ(kind("HTTP\0"sv), "binary");
}

TEST(ResponseHead, points_at_the_first_byte_that_is_not_http) {
    expect_breach("Status: 200 OK\r\nContent-Type: text/html", Rule::not_http, 0);
    expect_breach("HTTP 1.1 200 OK and twenty-four bytes", Rule::not_http, 4);
}

TEST(ResponseHead, undecided_bytes_are_settled_by_the_end) {
    const auto finished = [](std::string_view bytes) {
        ResponseHeadParser parser;
        parser.reset({}, {});
        EXPECT_EQ(parser.parse(bytes), Progress::need_more) << bytes;
        const Progress progress = parser.finish(bytes);
        return progress == Progress::failed ? to_string(parser.error().fingerprint) : "truncated";
    };
    EXPECT_EQ(finished("X"), "text");
    EXPECT_EQ(finished("\x16"), "binary");
    EXPECT_EQ(finished("\xff\xfe"), "binary");
    EXPECT_EQ(finished("HTTQ"), "text");
    EXPECT_EQ(finished("HTT"), "truncated");
    EXPECT_EQ(finished("HTTP/1.1 200"), "truncated");
    EXPECT_EQ(finished("HTTP/1.1 200 OK\r\nA: b\r\n"), "truncated");
    EXPECT_EQ(finished(""), "truncated");
}

TEST(ResponseHead, knows_how_far_the_message_came) {
    using Position = ResponseHeadParser::Position;
    EXPECT_EQ(parse("").parser.position(), Position::nothing);
    EXPECT_EQ(parse("H").parser.position(), Position::status_line);
    EXPECT_EQ(parse("HTTP/1.1 200 OK\r").parser.position(), Position::status_line);
    EXPECT_EQ(parse("HTTP/1.1 200 OK\r\n").parser.position(), Position::fields);
    const Parsed broken = parse("HTTP/1.1 502 OK\r\nA b\r\n");
    EXPECT_EQ(broken.parser.position(), Position::fields);
    EXPECT_EQ(broken.parser.status(), 502);
}

TEST(ResponseFields, names_must_be_tokens_next_to_their_colon) {
    expect_breach_in_field("X-Name : v", Rule::space_before_colon, 6);
    expect_breach_in_field("X-Name\t : v", Rule::space_before_colon, 6);
    expect_breach_in_field("X Name: v", Rule::bad_name_byte, 1);
    expect_breach_in_field("X(Name: v", Rule::bad_name_byte, 1);
    expect_breach_in_field("X\xc3\xa4: v", Rule::bad_name_byte, 1);
    expect_breach_in_field("X\x01Y: v", Rule::bad_name_byte, 1);
    expect_breach_in_field("<html>", Rule::bad_name_byte, 0);
    expect_breach_in_field(": v", Rule::empty_name, 0);
    expect_breach_in_field("NoColon", Rule::no_colon, 7);
    expect_breach_in_field("no colon here", Rule::no_colon, 13);
    EXPECT_EQ(spelled("HTTP/1.1 200 OK\r\n!#$%&'*+-.^_`|~09azAZ: v\r\n\r\n"),
              "1.1 200 [OK] !#$%&'*+-.^_`|~09azAZ=[v]");
}

TEST(ResponseFields, values_hold_no_control_bytes_but_tabs) {
    expect_breach_in_field("X: a\0b"sv, Rule::nul_in_value, 4);
    expect_breach_in_field("X: a\x01z", Rule::control_in_value, 4);
    expect_breach_in_field("X: a\x1f", Rule::control_in_value, 4);
    expect_breach_in_field("X: a\x7f", Rule::control_in_value, 4);
    expect_breach_in_field("X: 0123456789abcdef0123456789\x1b[0m", Rule::control_in_value, 29);
    expect_breach_in_field("Transfer-Encoding: \x0b chunked", Rule::control_in_value, 19);
}

TEST(ResponseFields, lines_end_in_crlf_and_are_not_folded) {
    expect_breach_in_field("X: a\rb", Rule::bare_cr, 4);
    expect_breach_in_field("X: a\nY: b", Rule::bare_lf, 4);
    expect_breach_in_field("X\n", Rule::bare_lf, 1);
    expect_breach_in_field("X y\n", Rule::bare_lf, 3);
    expect_breach_in_field("X\rY", Rule::bare_cr, 1);
    expect_breach_in_field("\rY", Rule::bare_cr, 0);
    expect_breach_in_field("\nX: y", Rule::bare_lf, 0);
    expect_breach_in_field("X: a\r\n b", Rule::obs_fold, 6);
    expect_breach_in_field("X: a\r\n\tb", Rule::obs_fold, 6);
    expect_breach("HTTP/1.1 200 OK\r\n A: b\r\n\r\n", Rule::obs_fold, 17);
}

TEST(ResponseFields, errors_name_the_field_and_carry_a_sample) {
    const Parsed folded = parse("HTTP/1.1 200 OK\r\nCookie: abc\r\n def\r\n\r\n");
    EXPECT_EQ(folded.parser.error().field, "Cookie");
    const Parsed control =
        parse("HTTP/1.1 200 OK\r\nSet-Cookie: " + std::string(100, 'a') + "\x01zzz\r\n\r\n");
    const ParseError& error = control.parser.error();
    EXPECT_EQ(error.field, "Set-Cookie");
    EXPECT_EQ(error.sample.field, "Set-Cookie");
    EXPECT_EQ(error.sample.error_offset, error.offset);
    EXPECT_EQ(error.sample.first_offset + base::Sample::kBefore, error.offset);
    EXPECT_EQ(error.sample.bytes, std::string(48, 'a') + "\x01zzz\r\n\r\n");
}

TEST(ResponseLimits, a_line_may_be_as_long_as_its_limit) {
    const std::string exact = "HTTP/1.1 200 OK\r\nA: " + std::string(27, 'x') + "\r\n\r\n";
    EXPECT_EQ(outcome(exact, kSmall).progress, Progress::complete);
    const std::string longer = "HTTP/1.1 200 OK\r\nA: " + std::string(28, 'x');
    expect_breach(longer + "\r\n\r\n", Rule::line_too_large, 17 + 30, kSmall);
    expect_breach(longer, Rule::line_too_large, 17 + 30, kSmall);
    expect_breach("HTTP/1.1 200 OK\r\n" + std::string(31, 'n'), Rule::line_too_large, 47, kSmall);
    expect_breach("HTTP/1.1 200 OK\r\nn " + std::string(31, 'n'), Rule::line_too_large, 47, kSmall);
    const Parsed parsed = parse(longer + "yy\r\nB: c\r\n\r\n", kSmall);
    const ParseError& error = parsed.parser.error();
    EXPECT_EQ(error.field, "A");
    EXPECT_EQ(error.limit, 30);
    EXPECT_EQ(error.seen, 33);
    EXPECT_EQ(error.largest_fields, std::vector<std::string>{"A: 33 bytes"});
}

TEST(ResponseLimits, a_section_may_be_as_large_as_its_limit) {
    const std::string lines =
        "A: " + std::string(25, 'x') + "\r\nB: " + std::string(25, 'x') + "\r\n";  // 60 bytes
    const std::string start = "HTTP/1.1 200 OK\r\n" + lines;
    EXPECT_EQ(outcome(start + "C: " + std::string(15, 'x') + "\r\n\r\n", kSmall).progress,
              Progress::complete);
    expect_breach(start + "C: " + std::string(16, 'x') + "\r\n\r\n", Rule::section_too_large,
                  17 + 78, kSmall);
    // Full to the last byte, then one line more.
    expect_breach(start + "C: " + std::string(15, 'x') + "\r\nD: e\r\n\r\n",
                  Rule::section_too_large, 17 + 80, kSmall);
    const Parsed parsed = parse(start + "Big: " + std::string(20, 'x') + "\r\n\r\nbody", kSmall);
    const ParseError& error = parsed.parser.error();
    EXPECT_EQ(error.rule, Rule::section_too_large);
    EXPECT_EQ(error.limit, 80);
    EXPECT_EQ(error.seen, 87);
    EXPECT_EQ(error.largest_fields,
              (std::vector<std::string>{"A: 28 bytes", "B: 28 bytes", "Big: 25 bytes"}));
}

TEST(ResponseLimits, the_limit_that_is_passed_first_names_the_fault) {
    const HeadLimits equal{.line_bytes = 64, .section_bytes = 64};
    const std::string line = "HTTP/1.1 200 OK\r\nA: " + std::string(200, 'x');
    expect_breach(line, Rule::section_too_large, 17 + 62, equal);
    const HeadLimits narrow{.line_bytes = 62, .section_bytes = 64};
    expect_breach(line, Rule::line_too_large, 17 + 62, narrow);
}

TEST(ResponseLimits, fields_are_counted) {
    const std::string four = "HTTP/1.1 200 OK\r\na: 1\r\nb: 2\r\nA: 3\r\nA: 4\r\n";
    EXPECT_EQ(outcome(four + "\r\n", kSmall).progress, Progress::complete);
    expect_breach(four + "e: 5\r\n\r\n", Rule::too_many_fields, four.size(), kSmall);
    const Parsed parsed = parse(four + "e: 5\r\nf: 6\r\n\r\nx: body\r\n", kSmall);
    const ParseError& error = parsed.parser.error();
    EXPECT_EQ(error.limit, 4);
    EXPECT_EQ(error.seen, 6);
    EXPECT_EQ(error.largest_fields, (std::vector<std::string>{"a: 3 times", "b: 1 times"}));
}

TEST(ResponseLimits, the_status_line_has_a_limit) {
    const std::string exact = "HTTP/1.1 200 " + std::string(27, 'r');
    EXPECT_EQ(outcome(exact + "\r\n\r\n", kSmall).progress, Progress::complete);
    expect_breach(exact + "r\r\n\r\n", Rule::start_line_too_large, 40, kSmall);
    expect_breach(exact + "rrr", Rule::start_line_too_large, 40, kSmall);
}

TEST(ResponseLimits, the_default_limits_hold_for_large_heads) {
    std::string bytes = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 31; ++i) bytes += "Set-Cookie: " + std::string(1010, 'c') + "\r\n";
    EXPECT_EQ(outcome(bytes + "\r\n").progress, Progress::complete);
    bytes += "Set-Cookie: " + std::string(1011, 'c') + "\r\n";
    expect_breach(bytes + "\r\n", Rule::section_too_large, 17 + 32766);
    expect_breach("HTTP/1.1 200 OK\r\nSet-Cookie: " + std::string(20000, 'c') + "\r\n\r\n",
                  Rule::line_too_large, 17 + 16384);
}

TEST(ResponseFraming, follows_length_coding_or_close) {
    EXPECT_EQ(framing_of("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), Framing::of_length(5));
    EXPECT_EQ(framing_of("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), Framing::of_length(0));
    EXPECT_EQ(framing_of("HTTP/1.1 200 OK\r\nContent-Length: 007\r\n\r\n"), Framing::of_length(7));
    EXPECT_EQ(framing_of("HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n"),
              Framing::of_length(9223372036854775807U));
    EXPECT_EQ(framing_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
              Framing::chunked());
    EXPECT_EQ(framing_of("HTTP/1.1 200 OK\r\ntransfer-encoding:\tCHUNKED \r\n\r\n"),
              Framing::chunked());
    EXPECT_EQ(framing_of("HTTP/1.1 200 OK\r\n\r\n"), Framing::until_close());
    EXPECT_EQ(framing_of("HTTP/1.0 200 OK\r\n\r\n"), Framing::until_close());
    EXPECT_EQ(framing_of("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n"), Framing::of_length(3));
}

TEST(ResponseFraming, some_responses_never_have_a_body) {
    constexpr std::string_view kLength = "\r\nContent-Length: 5\r\n\r\n";
    constexpr std::string_view kCoding = "\r\nTransfer-Encoding: gzip, chunked\r\n\r\n";
    for (const std::string_view fields : {kLength, kCoding, "\r\n\r\n"sv}) {
        for (const std::string_view status : {"100", "101", "103", "204", "304"}) {
            EXPECT_EQ(framing_of("HTTP/1.1 " + std::string(status) + " x" + std::string(fields)),
                      Framing::empty());
        }
        EXPECT_EQ(framing_of("HTTP/1.1 200 OK" + std::string(fields), {.to_head = true}),
                  Framing::empty());
        EXPECT_EQ(framing_of("HTTP/1.1 200 OK" + std::string(fields), {.to_connect = true}),
                  Framing::empty());
    }
    EXPECT_EQ(framing_of("HTTP/1.1 502 x" + std::string(kLength), {.to_connect = true}),
              Framing::of_length(5));
    EXPECT_TRUE(parse("HTTP/1.1 103 x\r\n\r\n").parser.head().is_interim());
    expect_breach("HTTP/1.1 304 x\r\nContent-Length: x\r\n\r\n", Rule::bad_length, 32);
    expect_breach("HTTP/1.1 204 x\r\nContent-Length: 0, 1\r\n\r\n", Rule::conflicting_length, 35);
    EXPECT_TRUE(keeps_alive("HTTP/1.1 304 x\r\n\r\n"));
}

TEST(ResponseFraming, lengths_must_be_one_number) {
    const auto at = [](std::string_view value, Rule rule, uint64_t offset) {
        const std::string start = "HTTP/1.1 200 OK\r\nContent-Length: ";
        expect_breach(start + std::string(value) + "\r\n\r\n", rule, start.size() + offset);
    };
    at("abc", Rule::bad_length, 0);
    at("+5", Rule::bad_length, 0);
    at("-1", Rule::bad_length, 0);
    at("5 6", Rule::bad_length, 1);
    at("0x10", Rule::bad_length, 1);
    at("5.0", Rule::bad_length, 1);
    at("5;", Rule::bad_length, 1);
    at("5,", Rule::bad_length, 2);
    at("\xd9\xa5", Rule::bad_length, 0);
    at("9223372036854775808", Rule::bad_length, 18);
    at("18446744073709551617", Rule::bad_length, 19);
    at("5, 5", Rule::duplicate_length, 3);
    at("5, 6", Rule::conflicting_length, 3);
    at("5, 5, 6", Rule::conflicting_length, 6);
    expect_breach("HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", Rule::bad_length, 32);
    expect_breach("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
                  Rule::duplicate_length, 52);
    expect_breach("HTTP/1.1 200 OK\r\nContent-Length: 5\r\ncontent-length: 6\r\n\r\n",
                  Rule::conflicting_length, 52);
    const Parsed parsed =
        parse("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6, 7\r\n\r\n");
    EXPECT_EQ(parsed.parser.error().values, (std::vector<std::string>{"5", "6", "7"}));
    EXPECT_EQ(parsed.parser.error().field, "Content-Length");
}

TEST(ResponseFraming, chunked_is_the_only_coding_and_comes_once) {
    const auto at = [](std::string_view value, Rule rule, uint64_t offset) {
        const std::string start = "HTTP/1.1 200 OK\r\nTransfer-Encoding: ";
        expect_breach(start + std::string(value) + "\r\n\r\n", rule, start.size() + offset);
    };
    at("gzip", Rule::unknown_coding, 0);
    at("identity", Rule::unknown_coding, 0);
    at("gzip, chunked", Rule::unknown_coding, 0);
    at("xchunked", Rule::unknown_coding, 0);
    at("\"chunked\"", Rule::unknown_coding, 0);
    at("chunked;q=1", Rule::unknown_coding, 0);
    at(", chunked", Rule::unknown_coding, 0);
    at("chunked, chunked", Rule::chunked_not_final, 9);
    at("chunked, gzip", Rule::chunked_not_final, 9);
    at("chunked,", Rule::chunked_not_final, 8);
    expect_breach("HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n\r\n", Rule::unknown_coding, 35);
    expect_breach(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
        "chunked\r\n\r\n",
        Rule::chunked_not_final, 64);
    expect_breach("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Rule::coding_in_http10,
                  17);
    expect_breach("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
                  Rule::length_and_coding, 17);
    expect_breach("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: identity\r\n\r\n",
                  Rule::length_and_coding, 36);
}

TEST(ResponseFraming, keep_alive_follows_version_connection_and_framing) {
    EXPECT_TRUE(keeps_alive("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"));
    EXPECT_FALSE(
        keeps_alive("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: x, Close\r\n\r\n"));
    EXPECT_FALSE(keeps_alive("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n"));
    EXPECT_TRUE(
        keeps_alive("HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: Keep-Alive\r\n\r\n"));
    EXPECT_FALSE(keeps_alive("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n"));
    EXPECT_FALSE(keeps_alive("HTTP/1.1 200 OK\r\n\r\n"));
    EXPECT_FALSE(keeps_alive(
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive, close\r\n\r\n"));
}

}  // namespace
}  // namespace edgecase::h1
