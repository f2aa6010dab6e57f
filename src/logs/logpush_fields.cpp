#include "logs/logpush_fields.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <utility>

#include "base/hex.hpp"
#include "logs/log_time.hpp"

namespace edgecase::logs {
namespace {

struct Name {
    std::string_view name;
    LogpushField field = LogpushField::unknown;
};

constexpr std::array kNames = {
    Name{"CacheCacheStatus", LogpushField::cache_status},
    Name{"ClientIP", LogpushField::client},
    Name{"ClientRequestBytes", LogpushField::request_bytes},
    Name{"ClientRequestHost", LogpushField::host},
    Name{"ClientRequestMethod", LogpushField::method},
    Name{"ClientRequestPath", LogpushField::path},
    Name{"ClientRequestProtocol", LogpushField::protocol},
    Name{"ClientRequestReferer", LogpushField::referer},
    Name{"ClientRequestScheme", LogpushField::scheme},
    Name{"ClientRequestSource", LogpushField::request_source},
    Name{"ClientRequestURI", LogpushField::uri},
    Name{"ClientRequestUserAgent", LogpushField::user_agent},
    Name{"EdgeColoCode", LogpushField::colo},
    Name{"EdgeEndTimestamp", LogpushField::end},
    Name{"EdgeResponseBodyBytes", LogpushField::response_body_bytes},
    Name{"EdgeResponseBytes", LogpushField::response_bytes},
    Name{"EdgeResponseStatus", LogpushField::edge_status},
    Name{"EdgeServerIP", LogpushField::edge_address},
    Name{"EdgeStartTimestamp", LogpushField::start},
    Name{"EdgeTimeToFirstByteMs", LogpushField::first_byte_ms},
    Name{"OriginDNSResponseTimeMs", LogpushField::dns_ms},
    Name{"OriginFailureCause", LogpushField::cause},
    Name{"OriginIP", LogpushField::origin},
    Name{"OriginResponseDurationMs", LogpushField::origin_ms},
    Name{"OriginResponseHeaderReceiveDurationMs", LogpushField::header_wait_ms},
    Name{"OriginResponseStatus", LogpushField::origin_status},
    Name{"OriginResponseTime", LogpushField::origin_ns},
    Name{"OriginTCPHandshakeDurationMs", LogpushField::connect_ms},
    Name{"OriginTLSHandshakeDurationMs", LogpushField::tls_ms},
    Name{"ParentRayID", LogpushField::parent},
    Name{"RayID", LogpushField::ray},
};

constexpr size_t kShortestName = 5;

/// No two of the names share a place: found by trying factors, and checked below.
constexpr size_t place_of(std::string_view name) {
    const auto byte = [&](size_t at) {
        return static_cast<size_t>(static_cast<uint8_t>(name[at]));
    };
    return (name.size() * 27 + byte(std::min<size_t>(7, name.size() - 1)) +
            byte(name.size() - 3) * 2) %
           64;
}

constexpr auto kPlaces = [] {
    std::array<Name, 64> places{};
    for (const Name& name : kNames) places[place_of(name.name)] = name;
    return places;
}();

static_assert(std::ranges::all_of(kNames, [](const Name& name) {
    return name.name.size() >= kShortestName && kPlaces[place_of(name.name)].name == name.name;
}));

template <std::integral Number>
void set_number(Number& into, std::string_view text, int64_t largest = INT64_MAX) {
    int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || number < 0 || number > largest) return;
    // A template of the user's own may write numbers as floats.
    if (end != text.data() + text.size() && *end != '.') return;
    into = static_cast<Number>(number);
}

/// Longer than any request may last, and no product with 1000 overflows.
constexpr int64_t kMaximumMs = 1'000'000'000'000;

void set_ms(int64_t& into, std::string_view text) {
    set_number(into, text, kMaximumMs);
}

void set_status(uint16_t& into, std::string_view text) {
    set_number(into, text, 999);
}

void set_ray(uint64_t& into, std::string_view text) {
    if (text.size() > 17 && text[16] == '-') text = text.substr(0, 16);
    if (const auto ray = base::parse_hex16(text)) into = *ray;
}

struct Stamp {
    LogTime time;
    int64_t resolution_us;
};

/// unix, unixnano, and what lies between, by its size.
Stamp number_stamp(int64_t number) {
    constexpr int64_t kSmallestMs = 100'000'000'000;  // as seconds, the year 5138
    constexpr int64_t kSmallestUs = kSmallestMs * 1000;
    constexpr int64_t kSmallestNs = kSmallestUs * 1000;
    if (number < kSmallestMs) return {number * 1'000'000, 1'000'000};
    if (number < kSmallestUs) return {number * 1000, 1000};
    if (number < kSmallestNs) return {number, 1};
    return {number / 1000, 1};
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

int64_t resolution_of_digits(std::string_view text) {
    int64_t resolution = 1'000'000;
    const size_t point = text.find('.');
    if (point == std::string_view::npos) return resolution;
    for (size_t at = point + 1; at < text.size() && is_digit(text[at]); ++at) resolution /= 10;
    return std::max<int64_t>(resolution, 1);
}

void set_stamp(EdgeEntryView& entry, LogTime EdgeEntryView::* into, std::string_view text) {
    const bool first = entry.start == kNoTime && entry.end == kNoTime;
    Stamp stamp{};
    if (!text.empty() && std::ranges::all_of(text, is_digit)) {
        int64_t number = 0;
        set_number(number, text);
        if (number == 0) return;
        stamp = number_stamp(number);
    } else {
        const auto time = iso_time(text);
        if (!time) return;
        stamp = {*time, resolution_of_digits(text)};
    }
    entry.*into = stamp.time;
    entry.resolution_us =
        first ? stamp.resolution_us : std::max(entry.resolution_us, stamp.resolution_us);
}

constexpr std::array<std::string_view, 13> kSources = {
    "unknown",
    "eyeball",
    "purge",
    "alwaysOnline",
    "healthcheck",
    "edgeWorkerFetch",
    "edgeWorkerCacheAPI",
    "edgeWorkerKV",
    "imageResizing",
    "orangeToOrange",
    "sslDetector",
    "earlyHintsCache",
    "inBrowserChallenge",
};

void set_source(int& into, std::string_view text) {
    const auto found = std::ranges::find(kSources, text);
    if (found != kSources.end()) {
        into = static_cast<int>(found - kSources.begin());
    } else if (!text.empty() && is_digit(text[0])) {
        set_number(into, text, INT16_MAX);  // a number that is newer than the list
    } else if (!text.empty()) {
        into = 0;
    }
}

}  // namespace

LogpushField logpush_field(std::string_view name) {
    if (name.size() < kShortestName) return LogpushField::unknown;
    const Name& candidate = kPlaces[place_of(name)];
    return candidate.name == name ? candidate.field : LogpushField::unknown;
}

// A straight list: one line for each field.
void set_logpush_field(EdgeEntryView& entry, LogpushField field, std::string_view value) {
    // clang-format off
    switch (field) {
        case LogpushField::unknown: return;
        case LogpushField::cache_status: entry.cache_status = value; return;
        case LogpushField::client: entry.client = value; return;
        case LogpushField::colo: entry.colo = value; return;
        case LogpushField::cause: entry.cause = value; return;
        case LogpushField::connect_ms: set_ms(entry.connect_ms, value); return;
        case LogpushField::dns_ms: set_ms(entry.dns_ms, value); return;
        case LogpushField::edge_address: entry.edge_address = value; return;
        case LogpushField::edge_status: set_status(entry.edge_status, value); return;
        case LogpushField::end: set_stamp(entry, &EdgeEntryView::end, value); return;
        case LogpushField::first_byte_ms: set_ms(entry.first_byte_ms, value); return;
        case LogpushField::header_wait_ms: set_ms(entry.header_wait_ms, value); return;
        case LogpushField::host: entry.host = value; return;
        case LogpushField::method: entry.method = value; return;
        case LogpushField::origin: entry.origin = value; return;
        case LogpushField::origin_ms: set_ms(entry.origin_ms, value); return;
        case LogpushField::origin_ns: {
            if (entry.origin_ms >= 0) return;
            int64_t duration_ns = -1;
            set_number(duration_ns, value);
            if (duration_ns > 0) entry.origin_ms = duration_ns / 1'000'000;
            return;
        }
        case LogpushField::origin_status: set_status(entry.origin_status, value); return;
        case LogpushField::parent: set_ray(entry.parent, value); return;
        case LogpushField::path: if (entry.uri.empty()) entry.uri = value; return;
        case LogpushField::protocol: entry.protocol = value; return;
        case LogpushField::ray: set_ray(entry.ray, value); return;
        case LogpushField::referer: entry.referer = value; return;
        case LogpushField::request_bytes: set_number(entry.request_bytes, value); return;
        case LogpushField::request_source: set_source(entry.request_source, value); return;
        case LogpushField::response_body_bytes: set_number(entry.response_body_bytes, value); return;
        case LogpushField::response_bytes: set_number(entry.response_bytes, value); return;
        case LogpushField::scheme: entry.scheme = value; return;
        case LogpushField::start: set_stamp(entry, &EdgeEntryView::start, value); return;
        case LogpushField::tls_ms: set_ms(entry.tls_ms, value); return;
        case LogpushField::uri: if (!value.empty()) entry.uri = value; return;
        case LogpushField::user_agent: entry.user_agent = value; return;
    }
    // clang-format on
}

}  // namespace edgecase::logs
