#include "record/logpush_json.hpp"

#include <algorithm>

#include "record/case_json.hpp"
#include "record/json_text.hpp"
#include "record/summary.hpp"

namespace edgecase::record {
namespace {

using nlohmann::ordered_json;

int64_t rounded_ms(int64_t microseconds) {
    return microseconds < 0 ? 0 : (microseconds + 500) / 1000;
}

std::string address_text(const ip::Endpoint& endpoint) {
    return endpoint == ip::Endpoint{} ? std::string() : endpoint.address.to_string();
}

/// `scheme` may be a whole URL. https without a version is a handshake that came to nothing.
std::string_view tls_version(std::string_view scheme, uint16_t version) {
    if (version == 0 && scheme.starts_with("https")) return "unknown";
    return tls_version_name(version);
}

std::string_view origin_tls_version(const Record& record) {
    if (record.attempts.empty()) return "unknown";
    return tls_version(record.origin_url, record.attempts.back().tls_version);
}

}  // namespace

ordered_json logpush_json(const Record& record) {
    const cause::Row& row = cause::row(record.cause);
    // Logpush has one set of origin fields; they are the last attempt's.
    const Attempt none;
    const Attempt& last = record.attempts.empty() ? none : record.attempts.back();
    const std::string uri = json_text(redact_uri(record.uri));
    const auto end =
        record.start + std::chrono::microseconds(std::max<int64_t>(record.duration_us, 0));
    return {{"RayID", record.ray.to_string()},
            {"ParentRayID", record.parent ? record.parent.to_string() : "00"},
            {"CacheCacheStatus", record.attempts.empty() ? "unknown" : "dynamic"},
            {"ClientIP", address_text(record.client)},
            {"ClientSrcPort", record.client.port},
            {"ClientSSLCipher", record.tls_cipher.empty() ? "NONE" : json_text(record.tls_cipher)},
            {"ClientSSLProtocol", tls_version(record.scheme, record.tls_version)},
            {"ClientRequestBytes", record.request_bytes},
            {"ClientRequestHost", json_text(redact_uri(record.host))},
            {"ClientRequestMethod", json_text(record.method)},
            {"ClientRequestPath", uri.substr(0, uri.find('?'))},
            {"ClientRequestProtocol", json_text(record.protocol)},
            {"ClientRequestReferer", json_text(redact_uri(record.referer))},
            {"ClientRequestScheme", json_text(record.scheme)},
            {"ClientRequestSource", "eyeball"},
            {"ClientRequestURI", uri},
            {"ClientRequestUserAgent", json_text(redact_uri(record.user_agent))},
            {"EdgeColoCode", json_text(record.colo)},
            {"EdgeStartTimestamp", rfc3339(record.start)},
            {"EdgeEndTimestamp", rfc3339(end)},
            {"EdgeResponseBodyBytes", record.response_body_bytes},
            {"EdgeResponseBytes", record.response_bytes},
            {"EdgeResponseContentType", json_text(redact_uri(record.content_type))},
            {"EdgeResponseStatus", record.edge_status},
            {"EdgeServerIP", address_text(last.edge)},
            {"EdgeTimeToFirstByteMs", rounded_ms(record.first_byte_us)},
            {"OriginIP", address_text(last.origin)},
            {"OriginResponseStatus", record.origin_status},
            {"OriginDNSResponseTimeMs", rounded_ms(last.dns_us)},
            {"OriginTCPHandshakeDurationMs", rounded_ms(last.connect_us)},
            {"OriginTLSHandshakeDurationMs", rounded_ms(last.tls_us)},
            {"OriginRequestHeaderSendDurationMs", rounded_ms(last.send_us)},
            {"OriginResponseHeaderReceiveDurationMs", rounded_ms(last.header_us)},
            {"OriginResponseDurationMs", rounded_ms(last.total_us)},
            {"OriginSSLProtocol", origin_tls_version(record)},
            {"OriginFailureCause", row.name},
            {"OriginFailurePhase", row.phase()},
            {"OriginFailureActor", to_string(row.actor)},
            {"OriginFailureReason", json_text(summary(record))},
            {"OriginFailureFix", row.fix},
            {"OriginFailureEvidence", evidence_json(record.evidence, Secrets::redacted)},
            {"OriginFailureAttempts", attempts_json(record, Secrets::redacted)},
            {"OriginFailureAborted", record.aborted},
            {"OriginFailureHeaderWarning", record.header_warning},
            {"OriginFailureResponseHeaderBytes", record.response_header_bytes},
            {"OriginFailureRequestBodyBytes", record.request_body_bytes},
            {"OriginFailureOrigin", json_text(redact_uri(record.origin_url))},
            {"OriginFailureOriginPort", last.origin.port},
            {"OriginFailureConnectionReused", last.reused},
            {"OriginFailureConnectionIdleMs", rounded_ms(last.idle_us)},
            {"OriginFailureConnectionRequestCount", last.nth_request},
            {"OriginFailureConnectionClose", to_string(last.close)},
            {"OriginFailureBytesSent", last.bytes_sent},
            {"OriginFailureBytesRead", last.bytes_received},
            {"OriginFailureTraceID", record.trace ? record.trace.id() : std::string()},
            {"OriginFailureSpanID", record.trace ? record.ray.to_string() : std::string()},
            {"OriginFailureParentSpanID", record.trace.parent_span != 0
                                              ? RayId(record.trace.parent_span).to_string()
                                              : std::string()}};
}

}  // namespace edgecase::record
