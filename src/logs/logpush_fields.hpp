// Owns what the fields of a Logpush record set in an edge entry, by their names and as text.
#pragma once

#include <cstdint>
#include <string_view>

#include "logs/entry.hpp"

namespace edgecase::logs {

enum class LogpushField : uint8_t {
    unknown,
    cache_status,
    client,
    colo,
    cause,
    connect_ms,
    dns_ms,
    edge_address,
    edge_status,
    end,
    first_byte_ms,
    header_wait_ms,
    host,
    method,
    origin,
    origin_ms,
    origin_ns,  // deprecated, older jobs still have it
    origin_status,
    parent,
    path,
    protocol,
    ray,
    referer,
    request_bytes,
    request_source,
    response_body_bytes,
    response_bytes,
    scheme,
    start,
    tls_ms,
    uri,
    user_agent,
};

/// `RayID`, `EdgeStartTimestamp`, ...
LogpushField logpush_field(std::string_view name);

/// `value` is the text of a JSON string or number, or of a CSV cell. What is not a value of that
/// field leaves the entry as it is.
/// Source: Cloudflare's documentation of the dataset http_requests.
void set_logpush_field(EdgeEntryView& entry, LogpushField field, std::string_view value);

/// Whether an object or heading with these fields is a Logpush record: by RayID, or by two names.
class LogpushNames {
  public:
    void add(LogpushField field) {
        if (field == LogpushField::unknown) return;
        ++known_;
        has_ray_ |= field == LogpushField::ray;
    }
    bool are_logpush() const { return has_ray_ || known_ >= 2; }

  private:
    int known_ = 0;
    bool has_ray_ = false;
};

constexpr std::string_view without_byte_order_mark(std::string_view line) {
    constexpr std::string_view kMark = "\xEF\xBB\xBF";
    if (line.starts_with(kMark)) line.remove_prefix(kMark.size());
    return line;
}

}  // namespace edgecase::logs
