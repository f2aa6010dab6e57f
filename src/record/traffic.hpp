// Owns what rollups add up to: requests over time, what they have in common, and how quick they
// were.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "record/source.hpp"

namespace edgecase::record {

enum class TrafficBy : uint8_t { cause, status, host, origin };
std::optional<TrafficBy> parse_traffic_by(std::string_view text);
std::string_view to_string(TrafficBy by);

struct TrafficQuery {
    base::WallTime since{};
    base::WallTime until{};
    TrafficBy by = TrafficBy::cause;   // what the series tell apart
    std::string host{};                // empty: all; so below
    std::string origin{};              // URL
    std::string node{};                // an edge's name
    std::string cause{};               // a name, or a prefix that ends before a dot: `resp`
    std::optional<uint16_t> status{};  // of the edge
    size_t maximum_steps = 400;
};

struct TrafficTotals {
    uint64_t requests = 0;
    uint64_t failures = 0;       // whoever is to blame but the client
    uint64_t edge_errors = 0;    // failures that the edge answered with 500 or more by itself
    uint64_t origin_errors = 0;  // the origin's own 500 and more, passed through
    uint64_t client_gone = 0;    // the client's doing: it left, was too slow, sent nonsense
    uint64_t bytes_in = 0;
    uint64_t bytes_out = 0;
    LatencyHistogram latency;  // until the response head was written to the client
};

struct TrafficSeries {
    std::string key;
    uint64_t total = 0;
    std::vector<uint64_t> requests;  // by step
};

struct TrafficTop {
    std::string key;
    uint64_t requests = 0;
    uint64_t failures = 0;
    std::optional<int64_t> p95_us;
};

struct Traffic {
    static constexpr size_t kSeries = 12;  // the rest is summed up as the last
    static constexpr size_t kTop = 20;

    TrafficQuery query;
    std::chrono::seconds step{60};
    std::vector<base::WallTime> times;  // the start of each step
    std::vector<TrafficSeries> series;  // largest first
    std::vector<LatencyHistogram> latency;
    TrafficTotals totals;
    std::vector<TrafficTop> hosts;
    std::vector<TrafficTop> paths;  // templates; of failures only when a cause or status was asked
    std::vector<TrafficTop> origins;
    std::vector<TrafficTop> causes;
    std::vector<TrafficTop> statuses;
};

/// At most kLongestSpan before `until`: rollups are kept no longer. Errors: a sentence (unreadable
/// store).
constexpr std::chrono::hours kLongestSpan{24 * 400};
std::expected<Traffic, std::string> traffic(Source& source, const TrafficQuery& query);
std::expected<TrafficTotals, std::string> traffic_totals(Source& source, const TrafficQuery& query);
/// Of the equally long time before `traffic`; no step is counted in both.
std::expected<TrafficTotals, std::string> traffic_before(Source& source, const Traffic& traffic);

}  // namespace edgecase::record
