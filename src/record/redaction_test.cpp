#include <gtest/gtest.h>

#include "record/case_json.hpp"
#include "record/logpush_json.hpp"
#include "record/summary.hpp"

namespace edgecase::record {
namespace {

const std::string kSecret = "hunter2";

TEST(Redaction, hides_a_secret_in_any_part_of_a_record_until_it_is_asked_for) {
    struct Row {
        const char* what;
        void (*put)(Record&, const std::string&);
    };
    const Row rows[] = {
        {"host", [](Record& r, const std::string& s) { r.host = "u:" + s + "@a"; }},
        {"host, user only", [](Record& r, const std::string& s) { r.host = s + "@a"; }},
        {"userinfo", [](Record& r, const std::string& s) { r.uri = "http://u:" + s + "@h/"; }},
        {"path", [](Record& r, const std::string& s) { r.uri = "/x;jsessionid=" + s; }},
        {"query", [](Record& r, const std::string& s) { r.uri = "/?PHPSESSID=" + s; }},
        {"ticket", [](Record& r, const std::string& s) { r.uri = "/?ticket=" + s; }},
        {"pw", [](Record& r, const std::string& s) { r.uri = "/?a=1&pw=" + s; }},
        {"passcode", [](Record& r, const std::string& s) { r.uri = "/?passcode=" + s; }},
        {"bearer", [](Record& r, const std::string& s) { r.uri = "/?bearer=" + s; }},
        {"privatekey", [](Record& r, const std::string& s) { r.uri = "/?privatekey=" + s; }},
        {"encoded",
         [](Record& r, const std::string& s) { r.uri = "/?q=https://h/%3Ftoken%3D" + s; }},
        {"referer", [](Record& r, const std::string& s) { r.referer = "http://u:" + s + "@h/"; }},
        {"user agent",
         [](Record& r, const std::string& s) { r.user_agent = "x (http://u:" + s + "@h/)"; }},
        {"origin", [](Record& r, const std::string& s) { r.origin_url = "http://u:" + s + "@h"; }},
        {"content type",
         [](Record& r, const std::string& s) { r.content_type = "text/html; token=" + s; }},
        {"text",
         [](Record& r, const std::string& s) { r.evidence.add("target", "u:" + s + "@h:443"); }},
        {"text of a field",
         [](Record& r, const std::string& s) { r.evidence.add("line", "X-Auth-Key: " + s); }},
        {"list",
         [](Record& r, const std::string& s) {
             r.evidence.add("values", std::vector<std::string>{"u:" + s + "@a", s + "@b"});
             r.evidence.add("offset", 1);
         }},
        {"sample",
         [](Record& r, const std::string& s) {
             const std::string line = "Set-Cookie sid=" + s;
             r.evidence.add("sample", base::cut_sample(line, line.size(), 0));
         }},
    };
    for (const Row& row : rows) {
        Record record;
        record.cause = cause::Cause::client_bad_host;
        row.put(record, kSecret);
        Attempt attempt;
        attempt.cause = record.cause;
        attempt.evidence = record.evidence;
        record.attempts.push_back(attempt);
        for (const std::string& hidden :
             {case_json(record, Secrets::redacted).dump(), logpush_json(record).dump(),
              summary(record), summary(record.attempts[0])}) {
            EXPECT_EQ(hidden.find(kSecret), std::string::npos) << row.what << "\n" << hidden;
        }
        EXPECT_NE(case_json(record, Secrets::shown).dump().find(kSecret), std::string::npos)
            << row.what;
    }
}

TEST(Redaction, leaves_ordinary_evidence_as_it_is) {
    for (const char* text :
         {"set-cookie: 31000 bytes", "cookie: 9 times", "chunked, gzip", "5, 6", "[::1]:3000",
          "2001:db8::1", "ECONNRESET", "SYN-SENT", "127.0.0.53", "shop.example:8080",
          "bad_name_byte", "h2c", "X-Trace", "2026-08-20T23:01:50Z"}) {
        EXPECT_EQ(redact_evidence_text(text), text);
    }
}

}  // namespace
}  // namespace edgecase::record
