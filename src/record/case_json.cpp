#include "record/case_json.hpp"

#include <fmt/format.h>

#include "base/escape.hpp"
#include "record/json_text.hpp"
#include "record/summary.hpp"

namespace edgecase::record {
namespace {

using nlohmann::ordered_json;

ordered_json text_or_null(std::string_view text) {
    return text.empty() ? ordered_json(nullptr) : ordered_json(json_text(text));
}

ordered_json ms_or_null(int64_t microseconds) {
    if (microseconds < 0) return nullptr;
    return static_cast<double>(microseconds) / 1000;
}

ordered_json tls_version_or_null(uint16_t version) {
    return version == 0 ? ordered_json(nullptr) : ordered_json(tls_version_name(version));
}

ordered_json endpoint_or_null(const ip::Endpoint& endpoint) {
    if (endpoint == ip::Endpoint{}) return nullptr;
    return endpoint.to_string();
}

ordered_json parent_span_or_null(const Trace& trace) {
    if (trace.parent_span == 0) return nullptr;
    return RayId(trace.parent_span).to_string();  // the same form
}

std::string free_text(std::string_view text, Secrets secrets) {
    return json_text(secrets == Secrets::shown ? std::string(text) : redact_uri(text));
}

ordered_json free_text_or_null(std::string_view text, Secrets secrets) {
    return text.empty() ? ordered_json(nullptr) : ordered_json(free_text(text, secrets));
}

ordered_json sample_json(const base::Sample& original, Secrets secrets) {
    const base::Sample sample = secrets == Secrets::shown ? original : base::redact(original);
    const std::string lines = base::caret_lines(sample);
    const size_t end_of_text = lines.find('\n');
    ordered_json json{{"offset", original.error_offset},
                      {"first_offset", original.first_offset},
                      {"text", lines.substr(0, end_of_text)},
                      {"caret", lines.size() - end_of_text - 2}};
    if (!original.field.empty()) json["field"] = json_text(original.field);
    return json;
}

ordered_json value_json(const cause::EvidenceValue& value, Secrets secrets) {
    const auto shown = [&](const std::string& text) {
        return json_text(secrets == Secrets::shown ? text : redact_evidence_text(text));
    };
    if (const auto* number = std::get_if<int64_t>(&value)) return *number;
    if (const auto* flag = std::get_if<bool>(&value)) return *flag;
    if (const auto* text = std::get_if<std::string>(&value)) return shown(*text);
    if (const auto* sample = std::get_if<base::Sample>(&value))
        return sample_json(*sample, secrets);
    ordered_json list = ordered_json::array();
    for (const std::string& text : std::get<std::vector<std::string>>(value)) {
        list.push_back(shown(text));
    }
    return list;
}

ordered_json attempt_json(const Attempt& attempt, size_t number, Secrets secrets) {
    const cause::Row& row = cause::row(attempt.cause);
    return {{"n", number},
            {"cause", row.name},
            {"phase", row.phase()},
            {"actor", to_string(row.actor)},
            {"summary", json_text(summary(attempt))},
            {"origin", endpoint_or_null(attempt.origin)},
            {"source", endpoint_or_null(attempt.edge)},
            {"connection",
             {{"id", attempt.connection_id},
              {"reused", attempt.reused},
              {"idle_ms", attempt.reused ? ms_or_null(attempt.idle_us) : ordered_json(nullptr)},
              {"nth_request", attempt.nth_request},
              {"close", to_string(attempt.close)}}},
            {"protocol", attempt.http2 ? "HTTP/2" : "HTTP/1.1"},
            {"stream_id",
             attempt.stream_id == 0 ? ordered_json(nullptr) : ordered_json(attempt.stream_id)},
            {"downgraded", attempt.downgraded},
            {"outrun", attempt.outrun},
            {"dns_stale", attempt.dns_stale == cause::Cause::none
                              ? ordered_json(nullptr)
                              : ordered_json(cause::row(attempt.dns_stale).name)},
            {"tls_version", tls_version_or_null(attempt.tls_version)},
            {"tls_resumed", attempt.tls_resumed},
            {"dns_ms", ms_or_null(attempt.dns_us)},
            {"connect_ms", ms_or_null(attempt.connect_us)},
            {"tls_ms", ms_or_null(attempt.tls_us)},
            {"send_ms", ms_or_null(attempt.send_us)},
            {"first_byte_ms", ms_or_null(attempt.first_byte_us)},
            {"header_ms", ms_or_null(attempt.header_us)},
            {"total_ms", ms_or_null(attempt.total_us)},
            {"sent_bytes", attempt.bytes_sent},
            {"received_bytes", attempt.bytes_received},
            {"header_bytes", attempt.header_bytes},
            {"status", attempt.status},
            {"retried", attempt.retried},
            {"evidence", evidence_json(attempt.evidence, secrets)}};
}

}  // namespace

std::string rfc3339(base::WallTime time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::milliseconds>(time - day));
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                       clock.subseconds().count());
}

ordered_json evidence_json(const cause::Evidence& evidence, Secrets secrets) {
    ordered_json json = ordered_json::object();
    for (const auto& [key, value] : evidence.items()) {
        json[json_text(key)] = value_json(value, secrets);
    }
    return json;
}

ordered_json attempts_json(const Record& record, Secrets secrets) {
    ordered_json attempts = ordered_json::array();
    for (size_t i = 0; i < record.attempts.size(); ++i) {
        attempts.push_back(attempt_json(record.attempts[i], i + 1, secrets));
    }
    return attempts;
}

ordered_json case_json(const Record& record, Secrets secrets) {
    const cause::Row& row = cause::row(record.cause);
    return {
        {"ray_id", record.ray.to_string()},
        {"parent_ray_id",
         record.parent ? ordered_json(record.parent.to_string()) : ordered_json(nullptr)},
        {"trace_id", record.trace ? ordered_json(record.trace.id()) : ordered_json(nullptr)},
        {"span_id", record.trace ? ordered_json(record.ray.to_string()) : ordered_json(nullptr)},
        {"parent_span_id", parent_span_or_null(record.trace)},
        {"time", rfc3339(record.start)},
        {"duration_ms", ms_or_null(record.duration_us)},
        {"first_byte_ms", ms_or_null(record.first_byte_us)},
        {"edge_status", record.edge_status},
        {"origin_status", record.origin_status},
        {"cause", row.name},
        {"phase", row.phase()},
        {"actor", to_string(row.actor)},
        {"summary", json_text(summary(record))},
        {"fix", row.fix},
        {"aborted", record.aborted},
        {"header_warning", record.header_warning},
        {"colo", text_or_null(record.colo)},
        {"client", endpoint_or_null(record.client)},
        {"edge", endpoint_or_null(record.edge)},
        {"origin", free_text_or_null(record.origin_url, secrets)},
        {"request",
         {{"method", json_text(record.method)},
          {"scheme", json_text(record.scheme)},
          {"host", free_text(record.host, secrets)},
          {"uri", free_text(record.uri, secrets)},
          {"protocol", json_text(record.protocol)},
          {"tls_version", tls_version_or_null(record.tls_version)},
          {"tls_cipher", text_or_null(record.tls_cipher)},
          {"sni", free_text_or_null(record.sni, secrets)},
          {"user_agent", free_text_or_null(record.user_agent, secrets)},
          {"referer", free_text_or_null(record.referer, secrets)},
          {"total_bytes", record.request_bytes},
          {"body_bytes", record.request_body_bytes}}},
        {"response",
         {{"content_type", free_text_or_null(record.content_type, secrets)},
          {"header_bytes", record.response_header_bytes},
          {"total_bytes", record.response_bytes},
          {"body_bytes", record.response_body_bytes}}},
        {"evidence", evidence_json(record.evidence, secrets)},
        {"attempts", attempts_json(record, secrets)}};
}

}  // namespace edgecase::record
