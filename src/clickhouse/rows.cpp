#include "clickhouse/rows.hpp"

#include <algorithm>
#include <array>
#include <chrono>

#include "base/ascii.hpp"
#include "clickhouse/row_binary.hpp"
#include "clickhouse/seconds.hpp"
#include "record/binary.hpp"
#include "record/path_template.hpp"
#include "record/redacted.hpp"
#include "record/rollup.hpp"

namespace edgecase::clickhouse {
namespace {

using record::Record;

const record::Attempt& last_attempt(const Record& record) {
    static const record::Attempt none;
    return record.attempts.empty() ? none : record.attempts.back();
}

std::string address_of(const ip::Endpoint& endpoint) {
    return endpoint == ip::Endpoint{} ? std::string() : endpoint.address.to_string();
}

uint32_t ms(int64_t us) {
    return static_cast<uint32_t>(std::clamp<int64_t>(us / 1000, 0, UINT32_MAX));
}

int64_t latency_of(const Record& record) {
    return record.first_byte_us >= 0 ? record.first_byte_us : record.duration_us;
}

std::string_view path_of(const Record& record) {
    return std::string_view(record.uri).substr(0, record.uri.find('?'));
}

struct Put {
    RowWriter& row;
    const Record& record;
    const RowContext& context;
};

struct Made {
    Column column;
    void (*put)(const Put& to);
};

constexpr std::array kMade{
    Made{{"ray", "UInt64"}, [](const Put& to) { to.row.number(to.record.ray.value()); }},
    Made{{"EdgeStartTimestamp", "DateTime('UTC')"},
         [](const Put& to) { to.row.number(second_of(to.record.ray)); }},
    Made{{"node", "String"}, [](const Put& to) { to.row.text(to.context.node); }},
    Made{{"EdgeColoCode", "String"}, [](const Put& to) { to.row.text(to.record.colo); }},
    Made{{"ClientIP", "String"}, [](const Put& to) { to.row.text(address_of(to.record.client)); }},
    Made{{"ClientRequestScheme", "String"}, [](const Put& to) { to.row.text(to.record.scheme); }},
    Made{{"ClientRequestProtocol", "String"},
         [](const Put& to) { to.row.text(to.record.protocol); }},
    Made{{"ClientRequestMethod", "String"}, [](const Put& to) { to.row.text(to.record.method); }},
    Made{{"ClientRequestHost", "String"},
         [](const Put& to) { to.row.text(base::to_lower(to.record.host)); }},
    Made{{"ClientRequestPath", "String"}, [](const Put& to) { to.row.text(path_of(to.record)); }},
    Made{{"ClientRequestReferer", "String"}, [](const Put& to) { to.row.text(to.record.referer); }},
    Made{{"ClientRequestUserAgent", "String"},
         [](const Put& to) { to.row.text(to.record.user_agent); }},
    Made{{"ClientRequestBytes", "UInt64"},
         [](const Put& to) { to.row.number(to.record.request_bytes); }},
    Made{{"EdgeResponseStatus", "UInt16"},
         [](const Put& to) { to.row.number(to.record.edge_status); }},
    Made{{"EdgeResponseBytes", "UInt64"},
         [](const Put& to) { to.row.number(to.record.response_bytes); }},
    Made{{"EdgeResponseContentType", "String"},
         [](const Put& to) { to.row.text(to.record.content_type); }},
    Made{{"EdgeServerIP", "String"},
         [](const Put& to) { to.row.text(address_of(last_attempt(to.record).edge)); }},
    Made{{"EdgeTimeToFirstByteMs", "UInt32"},
         [](const Put& to) { to.row.number(ms(to.record.first_byte_us)); }},
    Made{{"OriginIP", "String"},
         [](const Put& to) { to.row.text(address_of(last_attempt(to.record).origin)); }},
    Made{{"OriginResponseStatus", "UInt16"},
         [](const Put& to) { to.row.number(to.record.origin_status); }},
    Made{{"OriginResponseDurationMs", "UInt32"},
         [](const Put& to) { to.row.number(ms(last_attempt(to.record).total_us)); }},
    Made{{"OriginFailureCause", "String"},
         [](const Put& to) { to.row.text(cause::row(to.record.cause).name); }},
    Made{{"OriginFailureActor", "String"},
         [](const Put& to) { to.row.text(cause::to_string(cause::row(to.record.cause).actor)); }},
    Made{{"OriginFailureOrigin", "String"},
         [](const Put& to) { to.row.text(to.record.origin_url); }},
    Made{
        {"OriginFailureConnectionReused", "UInt8"},
        [](const Put& to) { to.row.number(static_cast<uint8_t>(last_attempt(to.record).reused)); }},
    Made{{"OriginFailureAborted", "UInt8"},
         [](const Put& to) { to.row.number(static_cast<uint8_t>(to.record.aborted)); }},
    Made{{"OriginFailureResponseHeaderBytes", "UInt32"},
         [](const Put& to) { to.row.number(to.record.response_header_bytes); }},
    Made{{"attempts", "UInt16"},
         [](const Put& to) { to.row.number(static_cast<uint16_t>(to.record.attempts.size())); }},
    Made{{"cause", "UInt16"},
         [](const Put& to) { to.row.number(static_cast<uint16_t>(to.record.cause)); }},
    Made{{"batch", "UInt64"}, [](const Put& to) { to.row.number(to.context.batch); }},
    Made{{"weight", "UInt32"}, [](const Put& to) { to.row.number(to.context.weight); }},
    Made{{"failed", "UInt8"},
         [](const Put& to) {
             to.row.number(static_cast<uint8_t>(record::is_failure(to.record.cause)));
         }},
    Made{{"ended", "DateTime('UTC')"}, [](const Put& to) { to.row.number(end_of(to.record)); }},
    Made{{"latency_us", "Int64"}, [](const Put& to) { to.row.number(latency_of(to.record)); }},
    Made{{"latency_step", "UInt16"},
         [](const Put& to) {
             to.row.number(record::LatencyHistogram::step_of(latency_of(to.record)));
         }},
    Made{{"rollup_host", "String"}, [](const Put& to) { to.row.text(to.context.host); }},
    Made{{"rollup_origin", "String"}, [](const Put& to) { to.row.text(to.context.origin); }},
    Made{{"rollup_path_host", "String"}, [](const Put& to) { to.row.text(to.context.path_host); }},
    Made{{"rollup_path", "String"}, [](const Put& to) { to.row.text(to.context.path); }},
    Made{{"record", "String"}, [](const Put& to) { to.row.text(to.context.record); }},
};

constexpr auto kColumns = [] {
    std::array<Column, kMade.size()> all{};
    for (size_t i = 0; i < all.size(); ++i) all[i] = kMade[i].column;
    return all;
}();

}  // namespace

std::span<const Column> columns() {
    return kColumns;
}

KindLimiter::Minute& KindLimiter::minute_of(int64_t number) {
    const auto found = std::ranges::find(minutes_, number, &Minute::number);
    if (found == minutes_.end()) {
        if (minutes_.size() == kMaximumMinutes) minutes_.pop_back();
        minutes_.push_front({.number = number, .kinds = {}});
    } else {
        std::rotate(minutes_.begin(), found, found + 1);
    }
    return minutes_.front();
}

bool KindLimiter::knows(int64_t minute, const record::RollupKeyView& kind) {
    auto& kinds = minute_of(minute).kinds[static_cast<size_t>(kind.family)];
    key_.clear();
    RowWriter key(key_);
    key.text(kind.host);
    key.text(kind.label);
    key.number(kind.edge_status);
    key.number(kind.origin_status);
    key.number(static_cast<uint16_t>(kind.cause));
    if (kinds.contains(key_)) return true;
    if (kinds.size() >= kMaximumKinds) return false;
    kinds.insert(key_);
    return true;
}

void RowMaker::append(std::string& rows, Record record, uint64_t batch) {
    if (redacts_) record::redact(record);
    encoded_.clear();
    record::encode(encoded_, record);
    record::path_template(record.uri, path_);
    const auto fitting = [](std::string_view label) {
        return label.size() > record::kMaximumLabelBytes ? record::kOtherLabel : label;
    };
    const std::string lower = base::to_lower(record.host);
    RowContext context{.node = node_,
                       .record = encoded_.view(),
                       .host = fitting(lower),
                       .origin = fitting(record.origin_url),
                       .path_host = fitting(lower),
                       .path = fitting(path_),
                       .batch = batch};
    const int64_t minute = end_of(record) / 60;
    if (!limiter_.knows(minute, {.family = record::RollupFamily::origin,
                                 .host = context.host,
                                 .label = context.origin,
                                 .edge_status = record.edge_status,
                                 .origin_status = record.origin_status,
                                 .cause = record.cause})) {
        context.host = context.origin = record::kOtherLabel;
    }
    if (!limiter_.knows(minute, {.family = record::RollupFamily::path,
                                 .host = context.path_host,
                                 .label = context.path})) {
        context.path_host = context.path = record::kOtherLabel;
    }
    RowWriter row(rows);
    for (const Made& one : kMade) one.put({row, record, context});
}

uint32_t end_of(const Record& record) {
    return seconds_of(record.start + std::chrono::microseconds(record.duration_us));
}

uint32_t second_of(record::RayId ray) {
    return seconds_of(ray.time());
}

}  // namespace edgecase::clickhouse
