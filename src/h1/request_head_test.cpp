#include "h1/request_head.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "h1/arrival_for_tests.hpp"
#include "h1/head_lines.hpp"
#include "h1/limits.hpp"
#include "h1/rule.hpp"
#include "http/message.hpp"

namespace edgecase::h1 {
namespace {

using http::Framing;
using namespace std::string_view_literals;

std::string spell(const RequestHeadParser& parser) {
    const http::RequestHeadView& head = parser.head();
    std::string text = std::string(head.method) + " " + std::string(head.target) + " 1." +
                       std::to_string(head.version_minor) + " host=[" + std::string(head.host) +
                       "] path=[" + std::string(head.path) + "]";
    for (const http::FieldView& field : head.fields) {
        text += " " + std::string(field.name) + "=[" + std::string(field.value) + "]";
    }
    return text;
}

Outcome outcome(std::string_view bytes, const HeadLimits& limits = {}) {
    return same_however_it_arrives(
        bytes,
        [&] {
            RequestHeadParser parser;
            parser.reset(limits);
            return parser;
        },
        spell);
}

RequestHeadParser parse(std::string_view bytes, const HeadLimits& limits = {}) {
    RequestHeadParser parser;
    parser.reset(limits);
    parser.parse(bytes);
    return parser;
}

void expect_breach(std::string_view bytes, Rule rule, uint64_t offset,
                   const HeadLimits& limits = {}) {
    const Outcome result = outcome(bytes, limits);
    EXPECT_EQ(result.progress, Progress::failed) << bytes;
    EXPECT_EQ(to_string(result.rule), to_string(rule)) << bytes;
    EXPECT_EQ(result.offset, offset) << bytes;
}

void expect_breach_in_field(std::string_view line, Rule rule, size_t offset_in_line) {
    constexpr std::string_view kStart = "GET / HTTP/1.1\r\nHost: a\r\n";
    expect_breach(std::string(kStart) + std::string(line) + "\r\n\r\n", rule,
                  kStart.size() + offset_in_line);
}

std::string spelled(std::string_view bytes) {
    const Outcome result = outcome(bytes);
    EXPECT_EQ(result.progress, Progress::complete) << bytes << to_string(result.rule);
    return result.text;
}

/// The head of `GET / HTTP/1.1` with a Host and these further fields.
http::RequestHeadView head_with(std::string_view fields, std::string_view version = "1.1") {
    const std::string bytes =
        "GET / HTTP/" + std::string(version) + "\r\nHost: a\r\n" + std::string(fields) + "\r\n";
    EXPECT_EQ(outcome(bytes).progress, Progress::complete) << bytes;
    http::RequestHeadView head = parse(bytes).head();
    head.fields = {};
    return head;
}

TEST(RequestHead, reads_method_target_and_fields) {
    EXPECT_EQ(spelled("GET /a?b=c HTTP/1.1\r\nHost: app.test:8080\r\nAccept: */*\r\n\r\n"),
              "GET /a?b=c 1.1 host=[app.test:8080] path=[/a?b=c] Host=[app.test:8080] "
              "Accept=[*/*]");
    EXPECT_EQ(spelled("M-SEARCH /\"{|}\\^` HTTP/1.1\r\nhost:x\r\n\r\n"),
              "M-SEARCH /\"{|}\\^` 1.1 host=[x] path=[/\"{|}\\^`] host=[x]");
    EXPECT_EQ(spelled("GET / HTTP/1.0\r\n\r\n"), "GET / 1.0 host=[] path=[/]");
}

TEST(RequestHead, one_empty_line_before_the_request_is_skipped) {
    EXPECT_EQ(spelled("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
              "GET / 1.1 host=[a] path=[/] Host=[a]");
    expect_breach("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Rule::bad_start_line, 2);
    expect_breach("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Rule::bare_lf, 0);
    expect_breach("\r\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Rule::bare_lf, 2);
    expect_breach("\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", Rule::bare_cr, 0);
    EXPECT_EQ(outcome("\r\n").progress, Progress::need_more);
}

TEST(RequestHead, consumes_nothing_of_a_pipelined_request) {
    constexpr std::string_view kFirst = "\r\nGET /1 HTTP/1.1\r\nHost: a\r\n\r\n";
    EXPECT_EQ(outcome(std::string(kFirst) + "GET /2 HTTP/1.1\r\n").head_bytes, kFirst.size());
}

TEST(RequestHead, knows_the_four_forms_of_targets) {
    EXPECT_EQ(spelled("GET http://app.test/p?q HTTP/1.1\r\nHost: other\r\n\r\n"),
              "GET http://app.test/p?q 1.1 host=[app.test] path=[/p?q] Host=[other]");
    EXPECT_EQ(spelled("GET HTTPS://[::1]:8443 HTTP/1.1\r\nHost: other\r\n\r\n"),
              "GET HTTPS://[::1]:8443 1.1 host=[[::1]:8443] path=[/] Host=[other]");
    EXPECT_EQ(spelled("OPTIONS http://app.test HTTP/1.1\r\nHost: other\r\n\r\n"),
              "OPTIONS http://app.test 1.1 host=[app.test] path=[*] Host=[other]");
    EXPECT_EQ(spelled("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
              "OPTIONS * 1.1 host=[a] path=[*] Host=[a]");
    EXPECT_EQ(spelled("CONNECT app.test:443 HTTP/1.1\r\nHost: app.test\r\n\r\n"),
              "CONNECT app.test:443 1.1 host=[app.test:443] path=[] Host=[app.test]");
    const auto bad = [](std::string_view line, uint64_t offset) {
        expect_breach(std::string(line) + " HTTP/1.1\r\nHost: a\r\n\r\n", Rule::bad_target, offset);
    };
    bad("GET *", 4);
    bad("GET index.html", 4);
    bad("GET app.test:443", 4);
    bad("GET ftp://app.test/", 4);
    bad("GET http:///p", 11);
    bad("GET http://user@app.test/", 15);
    bad("GET http://app.test?q", 19);
    bad("GET http://a:99999/", 17);
    bad("CONNECT app.test", 16);
    bad("CONNECT /", 8);
    bad("CONNECT *", 8);
}

TEST(RequestHead, targets_are_visible_ascii_without_fragment) {
    expect_breach("GET /a#b HTTP/1.1\r\n", Rule::bad_target, 6);
    expect_breach("GET /a\x01 HTTP/1.1\r\n", Rule::bad_target, 6);
    expect_breach("GET /a\0 HTTP/1.1\r\n"sv, Rule::bad_target, 6);
    expect_breach("GET /a\x7f HTTP/1.1\r\n", Rule::bad_target, 6);
    expect_breach("GET /\xc3\xa4 HTTP/1.1\r\n", Rule::bad_target, 5);
}

TEST(RequestHead, the_request_line_has_three_parts_and_two_spaces) {
    expect_breach(" GET / HTTP/1.1\r\n", Rule::bad_start_line, 0);
    expect_breach("GET  / HTTP/1.1\r\n", Rule::bad_start_line, 4);
    expect_breach("GET /  HTTP/1.1\r\n", Rule::bad_start_line, 6);
    expect_breach("GET\t/ HTTP/1.1\r\n", Rule::bad_start_line, 3);
    expect_breach("GET /\tHTTP/1.1\r\n", Rule::bad_start_line, 5);
    expect_breach("GET / HTTP/1.1 \r\n", Rule::bad_start_line, 14);
    expect_breach("GET / x HTTP/1.1\r\n", Rule::bad_start_line, 6);
    expect_breach("GET / http/1.1\r\n", Rule::bad_start_line, 6);
    expect_breach("GET /\r\n\r\n", Rule::bad_start_line, 5);
    expect_breach("GET\r\n\r\n", Rule::bad_start_line, 3);
    expect_breach("G(T / HTTP/1.1\r\n", Rule::bad_method, 1);
    expect_breach("GET\0 / HTTP/1.1\r\n"sv, Rule::bad_method, 3);
    expect_breach("G\xc3\x89T / HTTP/1.1\r\n", Rule::bad_method, 1);
    expect_breach("GET / HTTP/1.1\nHost: a\n\n", Rule::bare_lf, 14);
    expect_breach("GET /\n", Rule::bare_lf, 5);
    expect_breach("GET\n", Rule::bare_lf, 3);
    expect_breach("GET / HTTP/1.1\rX", Rule::bare_cr, 14);
}

TEST(RequestHead, names_a_bad_version) {
    expect_breach("GET / HTTP/2.0\r\n", Rule::bad_version, 11);
    expect_breach("GET / HTTP/0.9\r\n", Rule::bad_version, 11);
    expect_breach("GET / HTTP/1.2\r\n", Rule::bad_version, 13);
    expect_breach("GET / HTTP/1.10\r\n", Rule::bad_version, 14);
    expect_breach("GET / HTTP/\r\n", Rule::bad_version, 11);
    EXPECT_EQ(parse("GET / HTTP/2.0\r\n").error().values, std::vector<std::string>{"HTTP/2.0"});
}

TEST(RequestHead, fingerprints_what_is_not_http) {
    const auto kind = [](std::string_view bytes) {
        const Outcome result = outcome(bytes);
        EXPECT_EQ(result.rule, Rule::not_http) << bytes;
        return to_string(result.fingerprint);
    };
    EXPECT_EQ(kind("\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"sv), "tls");
    EXPECT_EQ(kind("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "h2");
    EXPECT_EQ(kind("SSH-2.0-OpenSSH_9.2\r\n"), "ssh");
    EXPECT_EQ(kind("220 mail.test ESMTP\r\n"), "smtp");
    EXPECT_EQ(kind("<html><body>"), "html");
    EXPECT_EQ(kind("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET / HTTP/1.1\r\n"), "proxy_protocol");
    EXPECT_EQ(kind("PROXY UNKNOWN\r\nGET / HTTP/1.1\r\n"), "proxy_protocol");
    EXPECT_EQ(kind("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c"sv), "proxy_protocol");
    EXPECT_EQ(kind("\x01\x02\x03"), "binary");
    EXPECT_EQ(kind("{\"jsonrpc\": \"2.0\", \"method\": \"x\"}"), "text");
}

TEST(RequestHead, undecided_bytes_are_settled_by_the_end) {
    const auto finished = [](std::string_view bytes) {
        RequestHeadParser parser = parse(bytes);
        EXPECT_EQ(parser.error().rule, Rule::none) << bytes;
        const Progress progress = parser.finish(bytes);
        return progress == Progress::failed ? to_string(parser.error().fingerprint) : "truncated";
    };
    EXPECT_EQ(finished("{}"), "text");
    EXPECT_EQ(finished("\x16"), "binary");
    EXPECT_EQ(finished("GE"), "truncated");
    EXPECT_EQ(finished("GET / HT"), "truncated");
    EXPECT_EQ(finished("GET / HTTP/1.1\r\nHost: a\r\n"), "truncated");
    EXPECT_EQ(finished("\r"), "truncated");
    EXPECT_EQ(finished("\r\n\r"), "truncated");
    EXPECT_EQ(finished(""), "truncated");
}

TEST(RequestHead, method_and_target_are_known_of_refused_requests) {
    constexpr std::string_view kBadField = "POST /x HTTP/1.1\r\nHost: a\r\nB : c\r\n";
    const RequestHeadParser parser = parse(kBadField);
    EXPECT_EQ(parser.error().rule, Rule::space_before_colon);
    EXPECT_EQ(parser.method(), "POST");
    EXPECT_EQ(parser.target(), "/x");
    constexpr std::string_view kPartial = "POST /partial";
    EXPECT_EQ(parse(kPartial).method(), "POST");
    EXPECT_EQ(parse(kPartial).target(), "/partial");
    EXPECT_EQ(parse("").method(), "");
}

TEST(RequestHead, a_parser_is_used_again_after_reset) {
    RequestHeadParser parser = parse("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n");
    EXPECT_EQ(parser.error().rule, Rule::bad_length);
    parser.reset({});
    EXPECT_EQ(parser.parse("GET / HTTP/1.1\r\nHost: b\r\n\r\n"), Progress::complete);
    EXPECT_EQ(parser.head().host, "b");
}

TEST(RequestHead, the_request_line_has_a_limit) {
    constexpr HeadLimits kSmall{.start_line_bytes = 20};
    EXPECT_EQ(outcome("GET /123456 HTTP/1.1\r\nHost: a\r\n\r\n", kSmall).progress,
              Progress::complete);
    expect_breach("GET /1234567 HTTP/1.1\r\n", Rule::start_line_too_large, 20, kSmall);
    expect_breach("GET /" + std::string(100, 'x') + "\r\nabc", Rule::start_line_too_large, 20,
                  kSmall);
    expect_breach(std::string(30, 'M'), Rule::start_line_too_large, 20, kSmall);
    expect_breach("\r\nGET /1234567 HTTP/1.1\r\n", Rule::start_line_too_large, 22, kSmall);
    const ParseError error =
        parse("GET /" + std::string(100, 'x') + " HTTP/1.1\r\n", kSmall).error();
    EXPECT_EQ(error.limit, 20);
    EXPECT_EQ(error.seen, 115);
}

TEST(RequestFields, keep_the_same_rules_as_in_responses) {
    expect_breach_in_field("X : v", Rule::space_before_colon, 1);
    expect_breach_in_field("X\x01: v", Rule::bad_name_byte, 1);
    expect_breach_in_field(": v", Rule::empty_name, 0);
    expect_breach_in_field("X", Rule::no_colon, 1);
    expect_breach_in_field("X: \0"sv, Rule::nul_in_value, 3);
    expect_breach_in_field("X: \x02", Rule::control_in_value, 3);
    expect_breach_in_field("X: a\r\n b", Rule::obs_fold, 6);
    expect_breach_in_field("X: a\nb: c", Rule::bare_lf, 4);
    expect_breach_in_field("X: a\rb: c", Rule::bare_cr, 4);
    expect_breach("GET / HTTP/1.1\r\n Host: a\r\n\r\n", Rule::obs_fold, 16);
    constexpr HeadLimits kSmall{.line_bytes = 10, .section_bytes = 30, .field_count = 2};
    expect_breach("GET / HTTP/1.1\r\nHost: abcdefgh\r\n\r\n", Rule::line_too_large, 26, kSmall);
    expect_breach("GET / HTTP/1.1\r\nHost: a\r\nb: 45\r\nc: d\r\n\r\n", Rule::too_many_fields, 32,
                  kSmall);
    constexpr HeadLimits kNarrow{.section_bytes = 12};
    expect_breach("GET / HTTP/1.1\r\nHost: a\r\nb: 45\r\n\r\n", Rule::section_too_large, 26,
                  kNarrow);
}

TEST(RequestHost, is_there_once) {
    expect_breach("GET / HTTP/1.1\r\n\r\n", Rule::missing_host, 16);
    expect_breach("GET / HTTP/1.1\r\nA: b\r\n\r\n", Rule::missing_host, 22);
    expect_breach("GET http://a/ HTTP/1.1\r\n\r\n", Rule::missing_host, 24);
    expect_breach("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", Rule::duplicate_host, 25);
    expect_breach("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", Rule::duplicate_host, 25);
}

TEST(RequestHost, is_a_name_or_an_address_with_a_port) {
    for (const std::string_view good :
         {"a", "App-1.test.", "under_score", "127.0.0.1:80", "[::1]", "[2001:db8::1]:443",
          "[::ffff:1.2.3.4]", "a:0", "a:65535"}) {
        const std::string bytes = "GET / HTTP/1.1\r\nHost: " + std::string(good) + "\r\n\r\n";
        EXPECT_EQ(outcome(bytes).progress, Progress::complete) << good;
        EXPECT_EQ(parse(bytes).head().host, good);
    }
    const auto bad = [](std::string_view value, uint64_t offset) {
        expect_breach("GET / HTTP/1.1\r\nHost: " + std::string(value) + "\r\n\r\n", Rule::bad_host,
                      22 + offset);
    };
    bad("a b", 1);
    bad("a,b", 1);
    bad("a/b", 1);
    bad("user@a", 4);
    bad("a%20b", 1);
    bad("caf\xc3\xa9", 3);
    bad("a:", 2);
    bad("a:b", 2);
    bad("a:65536", 6);
    bad("a:80:80", 4);
    bad(":80", 0);
    bad("::1", 0);
    bad("[::1", 4);
    bad("[]", 1);
    bad("[1234]", 1);
    bad("[fe80::1%25eth0]", 8);
    bad("[::1]x", 5);
    bad("[" + std::string(46, ':') + "]", 1);
    expect_breach("GET / HTTP/1.1\r\nHost:\r\n\r\n", Rule::bad_host, 21);
    expect_breach("GET / HTTP/1.0\r\nHost: a b\r\n\r\n", Rule::bad_host, 23);
    EXPECT_EQ(parse("GET / HTTP/1.1\r\nHost: a b\r\n\r\n").error().values,
              std::vector<std::string>{"a b"});
}

TEST(RequestFraming, follows_length_or_coding_and_is_empty_otherwise) {
    EXPECT_EQ(head_with("").framing, Framing::empty());
    EXPECT_EQ(head_with("Content-Length: 12\r\n").framing, Framing::of_length(12));
    EXPECT_EQ(head_with("Transfer-Encoding: Chunked\r\n").framing, Framing::chunked());
}

TEST(RequestFraming, nothing_that_could_smuggle_a_request_is_let_through) {
    expect_breach_in_field("Content-Length: 5\r\nTransfer-Encoding: chunked",
                           Rule::length_and_coding, 19);
    expect_breach_in_field("Transfer-Encoding: chunked\r\nContent-Length: 5",
                           Rule::length_and_coding, 0);
    expect_breach_in_field("Content-Length: 5\r\nContent-Length: 6", Rule::conflicting_length, 35);
    expect_breach_in_field("Content-Length: 5\r\nContent-Length: 5", Rule::duplicate_length, 35);
    expect_breach_in_field("Content-Length: 5, 5", Rule::duplicate_length, 19);
    expect_breach_in_field("Content-Length: +5", Rule::bad_length, 16);
    expect_breach_in_field("Content-Length: 5 5", Rule::bad_length, 17);
    expect_breach_in_field("Content-Length : 5", Rule::space_before_colon, 14);
    expect_breach_in_field("Content-Length: 0\r\n5", Rule::no_colon, 20);
    expect_breach_in_field("Transfer-Encoding : chunked", Rule::space_before_colon, 17);
    expect_breach_in_field("Transfer-Encoding:\r\n chunked", Rule::obs_fold, 20);
    expect_breach_in_field(
        "Transfer-Encoding: \x0b"
        "chunked",
        Rule::control_in_value, 19);
    expect_breach_in_field("Transfer-Encoding: chunked\x01", Rule::control_in_value, 26);
    expect_breach_in_field("Transfer-Encoding: xchunked", Rule::unknown_coding, 19);
    expect_breach_in_field("Transfer-Encoding: identity, chunked", Rule::unknown_coding, 19);
    expect_breach_in_field("Transfer-Encoding: gzip, chunked", Rule::unknown_coding, 19);
    expect_breach_in_field("Transfer-Encoding: chunked, identity", Rule::chunked_not_final, 28);
    expect_breach_in_field("Transfer-Encoding: chunked\r\nTransfer-Encoding: cow",
                           Rule::chunked_not_final, 47);
    expect_breach_in_field("Transfer-Encoding: cow\r\nTransfer-Encoding: chunked",
                           Rule::unknown_coding, 19);
    expect_breach_in_field("X: y\nTransfer-Encoding: chunked", Rule::bare_lf, 4);
    expect_breach_in_field("X: y\rTransfer-Encoding: chunked", Rule::bare_cr, 4);
    expect_breach_in_field("\0Transfer-Encoding: chunked"sv, Rule::bad_name_byte, 0);
    expect_breach("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", Rule::coding_in_http10,
                  17);
    // Underscores make another name, which a CGI origin may fold into this one; it frames nothing.
    EXPECT_EQ(head_with("Transfer_Encoding: chunked\r\n").framing, Framing::empty());
}

TEST(RequestSemantics, keep_alive_follows_version_and_connection) {
    EXPECT_TRUE(head_with("").keep_alive);
    EXPECT_FALSE(head_with("Connection: close\r\n").keep_alive);
    EXPECT_FALSE(head_with("Connection: a\r\nConnection: b , CLOSE\r\n").keep_alive);
    EXPECT_FALSE(head_with("", "1.0").keep_alive);
    EXPECT_TRUE(head_with("Connection: keep-alive\r\n", "1.0").keep_alive);
}

TEST(RequestSemantics, upgrade_needs_both_fields_and_http11) {
    EXPECT_TRUE(head_with("Connection: Upgrade\r\nUpgrade: websocket\r\n").wants_upgrade);
    EXPECT_FALSE(head_with("Upgrade: websocket\r\n").wants_upgrade);
    EXPECT_FALSE(head_with("Connection: upgrade\r\n").wants_upgrade);
    EXPECT_FALSE(head_with("Connection: upgrade\r\nUpgrade: x\r\n", "1.0").wants_upgrade);
}

TEST(RequestSemantics, only_100_continue_can_be_expected) {
    EXPECT_TRUE(head_with("Expect: 100-Continue\r\n").expects_continue);
    EXPECT_FALSE(head_with("").expects_continue);
    EXPECT_FALSE(head_with("Expect: 100-continue\r\n", "1.0").expects_continue);
    EXPECT_FALSE(head_with("Expect: magic\r\n", "1.0").expects_continue);
    expect_breach_in_field("Expect: magic", Rule::unknown_expectation, 8);
    expect_breach_in_field("Expect: 100-continue, x", Rule::unknown_expectation, 8);
    expect_breach_in_field("Expect:", Rule::unknown_expectation, 7);
}

}  // namespace
}  // namespace edgecase::h1
