#include "cli/case_text.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "cause/table.hpp"
#include "cli/explain_text.hpp"
#include "cli/terminal_text.hpp"
#include "record/test_record.hpp"

namespace edgecase::cli {
namespace {

using record::Record;
using record::Secrets;

bool is_harmless(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); });
}

/// The full record with a first attempt that failed instead of losing a race of addresses.
Record retried_record() {
    Record record = record::full_record();
    record.attempts.front().outrun = false;
    return record;
}

TEST(CaseText, tells_the_whole_story_of_a_case) {
    const std::string text = case_text(retried_record(), false);
    for (const char* part :
         {"520 Web server is returning an unknown error - resp.headers_too_large, the fault of the "
          "origin",
          "ray 7a1b2c3d4e5f6789-LAB", "2026-11-24T13:38:07.123Z", "limit 32768",
          "Fix: ", "GET /cart?item=7&token=[redacted] HTTP/2", "203.0.113.9:51000",
          "reuse.stale, retried", "reused, idle 5001 ms, request 9", "set-cookie: 31000 bytes",
          "byte 1036", "Timeline of the last attempt", "Evidence of attempt 1"}) {
        EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
    }
    EXPECT_TRUE(is_harmless(text));
    for (const char* secret : {"hunter2", "s3cr3t", "a=b", "code=abc"}) {
        EXPECT_EQ(text.find(secret), std::string::npos) << secret;
        EXPECT_NE(case_text(record::full_record(), false, Secrets::shown).find(secret),
                  std::string::npos)
            << secret;
    }
}

TEST(CaseText, the_connections_phases_are_no_part_of_the_wait) {
    Record record = record::plain_record();
    record.attempts.resize(1);
    record::Attempt& attempt = record.attempts.front();
    attempt = {};
    attempt.connect_us = 5'000;
    attempt.send_us = 20;
    attempt.total_us = 12'000;
    const std::string text = case_text(record, false);
    EXPECT_NE(text.find("  until it failed   12.00 ms"), std::string::npos) << text;
}

TEST(CaseText, tells_the_protocols_and_tls_of_every_attempt) {
    record::Record record = record::full_record();
    const std::string text = case_text(record, false);
    for (const char* part :
         {"8080, https, TLSv1.3 TLS_AES_128_GCM_SHA256\n", "server name www.shop.example",
          "HTTP/2 stream 17, TLSv1.2 ", "again over HTTP/1.1, TLSv1.3 resumed in 1.25 ms",
          "  tls                1.25 ms  "}) {
        EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
    }
    record.sni = record.host;
    EXPECT_EQ(case_text(record, false).find("server name"), std::string::npos);
    record.attempts.back() = {};
    record.attempts.back().tls_us = 30'000;
    EXPECT_NE(case_text(record, false).find("  no TLS after 30.00 ms  "), std::string::npos);
    // Plain HTTP/1.1 has no such column.
    EXPECT_EQ(case_text(record::plain_record(), false).find("protocol"), std::string::npos);
    EXPECT_EQ(case_text(record::plain_record(), false).find("TLS"), std::string::npos);
}

TEST(CaseText, the_caret_stands_below_the_offending_byte) {
    const std::string text = case_text(record::full_record(), false);
    const size_t at = text.find("\\x01: 1");
    const size_t caret = text.find("^\n", at);
    ASSERT_NE(at, std::string::npos);
    ASSERT_NE(caret, std::string::npos);
    EXPECT_EQ(at - text.rfind('\n', at), caret - text.rfind('\n', caret)) << text;
}

TEST(CaseText, colours_only_when_told_to) {
    EXPECT_EQ(case_text(record::full_record(), false).find('\x1b'), std::string::npos);
    EXPECT_NE(case_text(record::full_record(), true).find("\x1b[31m520\x1b[0m"), std::string::npos);
}

TEST(CaseText, nothing_the_network_sent_reaches_the_terminal_raw) {
    const std::string nasty = "\x1b]0;owned\x07\x9b\r\n\xe2\x80\xae\x7f";
    Record record = record::full_record();
    record.uri = record.host = record.user_agent = record.referer = record.method = nasty;
    record.colo = record.scheme = record.protocol = record.origin_url = nasty;
    record.sni = nasty + "x";
    record.tls_cipher = nasty;
    record.evidence.add(nasty, nasty).add("list", std::vector<std::string>{nasty, nasty});
    record.attempts[0].evidence.add("text", nasty);
    for (const Secrets secrets : {Secrets::redacted, Secrets::shown}) {
        EXPECT_TRUE(is_harmless(case_text(record, false, secrets)));
    }
    EXPECT_TRUE(is_harmless(case_list_text(std::vector<Record>{record, record}, false)));
    EXPECT_EQ(printable("\x1b[2J\\\"\xc3\xa9"), "\\x1b[2J\\\\\"\\xc3\\xa9");
}

TEST(CaseText, a_default_record_and_a_retried_success_can_be_shown) {
    EXPECT_NE(case_text(Record{}, false).find("no failure"), std::string::npos);
    Record record = retried_record();
    record.cause = cause::Cause::none;
    record.edge_status = 200;
    record.attempts.back().cause = cause::Cause::none;
    EXPECT_NE(case_text(record, false).find("The origin answered after 1 failed attempt"),
              std::string::npos);
}

TEST(CaseText, says_which_address_was_outrun_and_that_the_name_is_gone) {
    Record record = record::full_record();
    record.attempts.back().reused = false;
    const std::string text = case_text(record, false);
    for (const char* part : {"not in ", "another was quicker", "new, name gone"}) {
        EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
    }
    EXPECT_EQ(text.find(", retried"), std::string::npos) << text;
}

TEST(CaseListText, is_aligned_and_has_no_query) {
    Record other = record::full_record();
    other.cause = cause::Cause::connect_refused;
    other.edge_status = 521;
    other.attempts.clear();
    const std::string text =
        case_list_text(std::vector<Record>{record::full_record(), other}, false);
    EXPECT_EQ(text,
              "TIME                      RAY               STATUS   CAUSE                   TRIES  "
              "HOST AND PATH\n"
              "2026-11-24T13:38:07.123Z  7a1b2c3d4e5f6789  520 cut  resp.headers_too_large  2      "
              "shop.example/cart\n"
              "2026-11-24T13:38:07.123Z  7a1b2c3d4e5f6789  521 cut  connect.refused         0      "
              "shop.example/cart\n");
    EXPECT_EQ(case_list_text({}, false), "no cases\n");
}

TEST(CaseText, hides_secrets_in_host_path_and_samples_unless_asked_for) {
    Record record = record::full_record();
    record.host = "u:hunter2@shop.example";
    record.uri = "http://u:hunter2@h/x;jsessionid=hunter2/%3Ftoken%3Dhunter2?pw=hunter2";
    record.referer = "http://u:hunter2@h/?ticket=hunter2";
    const std::string line = "Authorization Bearer hunter2\r\n";
    record.evidence.add("second", base::cut_sample(line, line.size() - 2, 0))
        .add("values", std::vector<std::string>{"u:hunter2@a"});
    EXPECT_EQ(case_text(record, false).find("hunter2"), std::string::npos);
    EXPECT_EQ(case_list_text(std::vector<Record>{record}, false).find("hunter2"),
              std::string::npos);
    EXPECT_NE(case_text(record, false, Secrets::shown).find("Bearer hunter2"), std::string::npos);
}

TEST(Fitted, cuts_long_text_with_dots) {
    EXPECT_EQ(fitted("abcdef", 6), "abcdef");
    EXPECT_EQ(fitted("abcdefg", 6), "abc...");
    EXPECT_EQ(fitted(std::string(10, '\x01'), 6).size(), 6u);
}

TEST(Sparkline, shows_what_is_there_however_small) {
    EXPECT_EQ(sparkline({}), "");
    EXPECT_EQ(sparkline({0, 0}), "  ");
    EXPECT_EQ(sparkline({0, 1, 500, 1000}), " ▁▄█");
}

TEST(Wrapped, breaks_between_words_only) {
    EXPECT_EQ(wrapped("one two three", 2, 9), "one two\n  three");
    EXPECT_EQ(wrapped("averyverylongword x", 0, 5), "averyverylongword\nx");
    EXPECT_EQ(wrapped("", 3, 10), "");
}

TEST(Explain, knows_every_status_cause_and_phase) {
    for (const cause::Row& row : cause::table()) {
        const auto text = explain_text(row.name, false);
        ASSERT_TRUE(text) << row.name;
        EXPECT_EQ(text->find('\x1b'), std::string::npos);
    }
    for (const cause::Status& status : cause::statuses()) {
        EXPECT_TRUE(explain_text(std::to_string(status.code), false)) << status.code;
    }
    const auto status = explain_text("520", false);
    ASSERT_TRUE(status);
    EXPECT_NE(status->find("resp.empty_fin"), std::string::npos);
    EXPECT_EQ(status->find("connect.refused"), std::string::npos);
    EXPECT_NE(explain_text("reuse.stale", false)->find("fix"), std::string::npos);
    EXPECT_NE(explain_text("dns", false)->find("dns.servfail"), std::string::npos);
}

TEST(Explain, an_unknown_name_is_one_line_with_the_nearest) {
    const std::string near = explain_text("resp.empty_fim", false).error();
    EXPECT_TRUE(near.starts_with("\"resp.empty_fim\" is no status of this edge, no cause")) << near;
    EXPECT_TRUE(near.ends_with("; did you mean resp.empty_fin?")) << near;
    for (const char* bad : {"", "999", "UC", "\x1b[2J", "."}) {
        const auto text = explain_text(bad, false);
        ASSERT_FALSE(text) << bad;
        EXPECT_TRUE(is_harmless(text.error()) && !text.error().contains('\n')) << bad;
        EXPECT_FALSE(explain_json(bad));
    }
    EXPECT_FALSE(explain_text(std::string(100'000, 'x'), false));
}

TEST(Explain, the_list_has_every_row_with_every_key) {
    const auto list = explain_list_json();
    ASSERT_EQ(list.size(), cause::table().size());
    for (const auto& row : list) {
        for (const char* key : {"name", "number", "phase", "actor", "status", "proxy_error",
                                "retry", "reason", "fix", "source"}) {
            EXPECT_TRUE(row.contains(key)) << key;
        }
    }
    EXPECT_EQ(explain_json("520")->at("causes").empty(), false);
    EXPECT_EQ(explain_json("reuse.stale")->at("phase"), "reuse");
    const std::string text = explain_list_text(false);
    EXPECT_EQ(static_cast<size_t>(std::ranges::count(text, '\n')), cause::table().size() + 1);
}

}  // namespace
}  // namespace edgecase::cli
