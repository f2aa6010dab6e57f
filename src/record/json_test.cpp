#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "record/case_json.hpp"
#include "record/fields.hpp"
#include "record/json_text.hpp"
#include "record/logpush_json.hpp"
#include "record/summary.hpp"
#include "record/test_record.hpp"

namespace edgecase::record {
namespace {

TEST(CaseJson, has_every_key_of_the_contract) {
    const auto json = case_json(full_record(), Secrets::redacted);
    for (const char* key : {"ray_id", "edge_status", "origin_status", "cause", "phase", "actor",
                            "summary", "fix", "evidence", "attempts", "parent_ray_id", "time",
                            "duration_ms", "client", "colo", "request"}) {
        EXPECT_TRUE(json.contains(key)) << key;
    }
    EXPECT_EQ(json["ray_id"], "7a1b2c3d4e5f6789");
    EXPECT_EQ(json["edge_status"], 520);
    EXPECT_EQ(json["origin_status"], 200);
    EXPECT_EQ(json["cause"], "resp.headers_too_large");
    EXPECT_EQ(json["phase"], "resp");
    EXPECT_EQ(json["actor"], "origin");
    EXPECT_EQ(json["time"], "2026-11-24T13:38:07.123Z");
    EXPECT_EQ(json["client"], "203.0.113.9:51000");
    EXPECT_EQ(json["duration_ms"], 15.25);
}

TEST(CaseJson, names_the_trace_and_the_spans) {
    Record record = full_record();
    auto json = case_json(record, Secrets::redacted);
    EXPECT_EQ(json["trace_id"], "0af7651916cd43dd8448eb211c80319c");
    EXPECT_EQ(json["span_id"], json["ray_id"]);
    EXPECT_EQ(json["parent_span_id"], "b7ad6b7169203331");
    record.trace.parent_span = 0;
    json = case_json(record, Secrets::redacted);
    EXPECT_EQ(json["span_id"], json["ray_id"]);
    EXPECT_TRUE(json["parent_span_id"].is_null());
    record.trace = {};
    json = case_json(record, Secrets::redacted);
    for (const char* key : {"trace_id", "span_id", "parent_span_id"}) {
        EXPECT_TRUE(json[key].is_null()) << key;
    }
}

TEST(CaseJson, shows_every_attempt_with_its_own_cause_and_connection) {
    const auto json = case_json(full_record(), Secrets::redacted);
    ASSERT_EQ(json["attempts"].size(), 2u);
    const auto& first = json["attempts"][0];
    EXPECT_EQ(first["cause"], "reuse.stale");
    EXPECT_EQ(first["connection"]["reused"], true);
    EXPECT_EQ(first["connection"]["idle_ms"], 5001.0);
    EXPECT_EQ(first["connection"]["nth_request"], 9);
    EXPECT_EQ(first["connection"]["close"], "rst");
    EXPECT_EQ(first["retried"], true);
    EXPECT_TRUE(first["header_ms"].is_null());
    EXPECT_EQ(json["attempts"][1]["origin"], "[::1]:3000");
}

TEST(CaseJson, tells_what_tls_and_http2_added) {
    const auto json = case_json(full_record(), Secrets::redacted);
    const auto& first = json["attempts"][0];
    EXPECT_EQ(first["protocol"], "HTTP/2");
    EXPECT_EQ(first["stream_id"], 17);
    EXPECT_EQ(first["tls_version"], "TLSv1.2");
    EXPECT_EQ(first["tls_ms"], 0.0);
    EXPECT_EQ(first["tls_resumed"], false);
    EXPECT_EQ(first["downgraded"], false);
    EXPECT_EQ(first["outrun"], true);
    EXPECT_TRUE(first["dns_stale"].is_null());
    const auto& second = json["attempts"][1];
    EXPECT_EQ(second["protocol"], "HTTP/1.1");
    EXPECT_TRUE(second["stream_id"].is_null());
    EXPECT_EQ(second["tls_version"], "TLSv1.3");
    EXPECT_EQ(second["tls_ms"], 1.25);
    EXPECT_EQ(second["tls_resumed"], true);
    EXPECT_EQ(second["downgraded"], true);
    EXPECT_EQ(second["outrun"], false);
    EXPECT_EQ(second["dns_stale"], "dns.servfail");
    EXPECT_EQ(json["request"]["protocol"], "HTTP/2");
    EXPECT_EQ(json["request"]["tls_version"], "TLSv1.3");
    EXPECT_EQ(json["request"]["tls_cipher"], "TLS_AES_128_GCM_SHA256");
    EXPECT_EQ(json["request"]["sni"], "www.shop.example");

    const auto plain = case_json(plain_record(), Secrets::redacted);
    for (const char* key : {"tls_ms", "tls_version", "stream_id"}) {
        EXPECT_TRUE(plain["attempts"][1][key].is_null()) << key;
    }
    EXPECT_EQ(plain["attempts"][1]["protocol"], "HTTP/1.1");
    EXPECT_TRUE(plain["request"]["tls_version"].is_null());
}

TEST(CaseJson, hides_secrets_unless_asked_for) {
    const std::string hidden = case_json(full_record(), Secrets::redacted).dump();
    for (const char* secret : {"hunter2", "s3cr3t", "a=b", "code=abc"}) {
        EXPECT_EQ(hidden.find(secret), std::string::npos) << secret << "\n" << hidden;
    }
    EXPECT_NE(hidden.find("set-cookie: 31000 bytes"), std::string::npos);
    const std::string shown = case_json(full_record(), Secrets::shown).dump();
    for (const char* secret : {"hunter2", "s3cr3t", "a=b", "code=abc"}) {
        EXPECT_NE(shown.find(secret), std::string::npos) << secret;
    }
}

TEST(CaseJson, a_sample_keeps_its_offset_and_the_caret_points_at_the_byte) {
    for (const Secrets secrets : {Secrets::redacted, Secrets::shown}) {
        const auto sample = case_json(full_record(), secrets)["evidence"]["sample"];
        EXPECT_EQ(sample["offset"], 1036);
        const std::string text = sample["text"];
        const size_t caret = sample["caret"];
        EXPECT_EQ(text.substr(caret, 4), "\\x01") << text;
    }
}

TEST(CaseJson, bytes_that_are_not_utf_8_are_escaped_and_dump_never_throws) {
    Record record = full_record();
    record.uri = "/\xff\xc0\x80\xed\xa0\x80ok\xc3\xa9";
    record.host = "\xf5";
    record.user_agent = std::string("a\0b", 3);
    record.method = "\x80";
    record.sni = record.tls_cipher = "\xff";
    record.evidence.add("text", "\xfe");
    EXPECT_NO_THROW((void)case_json(record, Secrets::shown).dump());
    EXPECT_NO_THROW((void)logpush_json(record).dump());
    EXPECT_EQ(case_json(record, Secrets::shown)["request"]["uri"],
              "/\\xff\\xc0\\x80\\xed\\xa0\\x80ok\xc3\xa9");
}

TEST(CaseJson, a_cause_of_a_newer_version_is_still_shown) {
    Record record = full_record();
    record.cause = static_cast<cause::Cause>(60000);
    EXPECT_EQ(case_json(record, Secrets::redacted)["cause"], "none");
}

TEST(Summary, is_the_rows_reason_with_the_figures_of_the_evidence) {
    Record record = full_record();
    record.attempts.clear();
    EXPECT_EQ(summary(record),
              "The response's header section is larger than the edge's limit (40123 bytes, limit "
              "32768; largest: set-cookie: 31000 bytes, x-debug: 700 bytes).");
    record.evidence = {};
    EXPECT_EQ(summary(record), cause::row(record.cause).reason);
}

TEST(Summary, names_the_retry_and_the_warning_that_hide_in_a_success) {
    Record record = full_record();
    record.cause = record.attempts.back().cause = cause::Cause::none;
    EXPECT_EQ(summary(record),
              "The origin answered after 1 failed attempt (reuse.stale) and the response was "
              "delivered.");
    record.attempts.front().cause = cause::Cause::none;
    record.header_warning = false;
    EXPECT_NE(summary(record).find("another was quicker"), std::string::npos);
    record.attempts.erase(record.attempts.begin());
    EXPECT_NE(summary(record).find("no longer resolves (dns.servfail)"), std::string::npos);
    record.header_warning = true;
    record.attempts.clear();
    EXPECT_NE(summary(record).find("40123 bytes is near the edge's limit"), std::string::npos);
}

TEST(RedactUri, replaces_the_values_of_parameters_that_look_like_credentials) {
    EXPECT_EQ(redact_uri("/a?x=1&access_token=abc&y=2"), "/a?x=1&access_token=[redacted]&y=2");
    EXPECT_EQ(redact_uri("/a?apiKey=abc#frag"), "/a?apiKey=[redacted]#frag");
    EXPECT_EQ(redact_uri("/a?X-Amz-Signature=abc;sid=9"),
              "/a?X-Amz-Signature=[redacted];sid=[redacted]");
    EXPECT_EQ(redact_uri("/cb#code=1"), "/cb#code=[redacted]");
    EXPECT_EQ(redact_uri("/a?p%61ssword=abc"), "/a?p%61ssword=[redacted]");
    EXPECT_EQ(redact_uri("/a?auth[key]=abc"), "/a?auth[key]=[redacted]");
    for (const char* plain : {"/", "/token", "/a?", "/a?monkey=1&design=2&zipcode=3&token", "",
                              "/a?token=", "/a?=x&&"}) {
        EXPECT_EQ(redact_uri(plain), plain);
    }
}

TEST(LogpushJson, carries_cloudflares_names_and_semantics) {
    const auto json = logpush_json(full_record());
    EXPECT_EQ(json["RayID"], "7a1b2c3d4e5f6789");
    EXPECT_EQ(json["ClientRequestPath"], "/cart");
    EXPECT_EQ(json["ClientRequestURI"], "/cart?item=7&token=[redacted]");
    EXPECT_EQ(json["EdgeStartTimestamp"], "2026-11-24T13:38:07.123Z");
    EXPECT_EQ(json["EdgeEndTimestamp"], "2026-11-24T13:38:07.138Z");
    EXPECT_EQ(json["OriginIP"], "::1");
    EXPECT_EQ(json["OriginResponseHeaderReceiveDurationMs"], 9);
    EXPECT_EQ(json["OriginFailureCause"], "resp.headers_too_large");
    EXPECT_EQ(json.dump().find("s3cr3t"), std::string::npos);

    const auto empty = logpush_json(Record{});
    EXPECT_EQ(empty["ParentRayID"], "00");
    EXPECT_EQ(empty["OriginIP"], "");
    EXPECT_EQ(empty["OriginFailureCause"], "none");
    EXPECT_EQ(empty["OriginTCPHandshakeDurationMs"], 0);
}

TEST(LogpushJson, names_the_trace) {
    Record record = full_record();
    auto json = logpush_json(record);
    EXPECT_EQ(json["OriginFailureTraceID"], "0af7651916cd43dd8448eb211c80319c");
    EXPECT_EQ(json["OriginFailureSpanID"], json["RayID"]);
    EXPECT_EQ(json["OriginFailureParentSpanID"], "b7ad6b7169203331");
    record.trace = {};
    json = logpush_json(record);
    EXPECT_EQ(json["OriginFailureTraceID"], "");
    EXPECT_EQ(json["OriginFailureSpanID"], "");
    EXPECT_EQ(json["OriginFailureParentSpanID"], "");
}

TEST(LogpushJson, names_tls_as_cloudflare_does) {
    Record record = full_record();
    auto json = logpush_json(record);
    EXPECT_EQ(json["ClientSSLProtocol"], "TLSv1.3");
    EXPECT_EQ(json["ClientSSLCipher"], "TLS_AES_128_GCM_SHA256");
    EXPECT_EQ(json["OriginSSLProtocol"], "TLSv1.3");
    EXPECT_EQ(json["OriginTLSHandshakeDurationMs"], 1);
    record.attempts.back().tls_us = 0;  // reused
    EXPECT_EQ(logpush_json(record)["OriginTLSHandshakeDurationMs"], 0);
    record.attempts.back().tls_us = -1;  // the origin refused the connection
    record.attempts.back().tls_version = 0;
    json = logpush_json(record);
    EXPECT_EQ(json["OriginTLSHandshakeDurationMs"], 0);
    EXPECT_EQ(json["OriginSSLProtocol"], "unknown");
    record.attempts.clear();
    EXPECT_EQ(logpush_json(record)["OriginSSLProtocol"], "unknown");

    json = logpush_json(plain_record());
    EXPECT_EQ(json["ClientSSLProtocol"], "none");
    EXPECT_EQ(json["ClientSSLCipher"], "NONE");
    EXPECT_EQ(json["OriginSSLProtocol"], "none");
    EXPECT_EQ(json["OriginTLSHandshakeDurationMs"], 0);
}

std::string_view type_of(const nlohmann::ordered_json& value) {
    if (value.is_boolean()) return "bool";
    if (value.is_number_integer()) return "int";
    if (value.is_string()) return "string";
    if (value.is_array()) return "array";
    return "object";
}

TEST(Fields, the_table_and_what_is_emitted_are_the_same) {
    for (const Record& record : {full_record(), Record{}}) {
        const auto json = logpush_json(record);
        std::set<std::string> emitted;
        for (const auto& [key, value] : json.items()) emitted.insert(key);
        std::set<std::string> described;
        for (const Field& field : fields()) {
            described.insert(std::string(field.name));
            EXPECT_FALSE(field.meaning.empty()) << field.name;
            ASSERT_TRUE(json.contains(field.name)) << field.name << " is not emitted";
            EXPECT_EQ(type_of(json[std::string(field.name)]), field.type) << field.name;
            EXPECT_EQ(field.is_logpush, !field.name.starts_with("OriginFailure")) << field.name;
        }
        EXPECT_EQ(emitted, described);
        EXPECT_EQ(described.size(), fields().size());
    }
}

std::string fields_table() {
    std::string text;
    for (const bool is_logpush : {true, false}) {
        text += is_logpush ? "## Cloudflare's names\n\n" : "\n## Our own\n\n";
        text += "| Field | Type | Unit | Meaning |\n|---|---|---|---|\n";
        for (const Field& field : fields()) {
            if (field.is_logpush != is_logpush) continue;
            text.append("| ").append(field.name).append(" | ").append(field.type).append(" | ");
            text.append(field.unit).append(field.unit.empty() ? "| " : " | ");
            text.append(field.meaning).append(" |\n");
        }
    }
    return text;
}

TEST(Fields, docs_fields_md_is_the_table) {
    std::ifstream file(EDGECASE_DOCS "/fields.md");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    EXPECT_NE(text.find(fields_table()), std::string::npos)
        << "docs/fields.md must contain exactly:\n"
        << fields_table();
}

TEST(LogpushText, is_the_same_as_the_tree) {
    Record hostile = plain_record();
    hostile.user_agent = "a\"b\\c\x01\x1f\t\r\n\b\f\x7f \xff\xc3\xa4";
    hostile.host = std::string("nul\0nul", 7);
    for (const Record& record : {full_record(), plain_record(), Record{}, hostile}) {
        std::string text = "{";
        append_logpush(text, record);
        EXPECT_EQ(text, "{" + logpush_json(record).dump());
    }
}

}  // namespace
}  // namespace edgecase::record
