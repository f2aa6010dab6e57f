// Owns the sum of many readings: which cause explains how many failures, when and where.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "diagnose/trace_reading.hpp"

namespace edgecase::diagnose {

struct Tally {
    std::string name;
    uint64_t count;
};

struct Minute {
    logs::LogTime at;
    uint64_t count;
};

/// Failures of one cause of which the logs say the same.
struct Explanation {
    std::string logs;  // what they said of one of them; empty: nothing
    std::string fix;
    std::string example;  // its Ray ID
    uint64_t count = 0;
};

struct CauseSum {
    cause::Cause cause = cause::Cause::none;  // none: unexplained
    uint64_t count = 0;
    double confidence = 0;  // the mean
    logs::LogTime first = 0;
    logs::LogTime last = 0;
    std::vector<Explanation> explanations;  // the most frequent first, at least one
    uint64_t explained_otherwise = 0;       // beyond kMaximumExplanations
    std::vector<Tally> paths;  // the most frequent first, at most kMaximumTallies of each
    std::vector<Tally> origins;
    std::vector<Tally> edges;     // addresses of the edge
    std::vector<Minute> minutes;  // those with failures, in order
    static constexpr size_t kMaximumTallies = 5;
    static constexpr size_t kMaximumExplanations = 5;
};

/// The guide's six root causes; a cause belongs to at most one.
enum class Guide : uint8_t { crash, headers, firewall, http2, script_timeout, status_line, other };
std::string_view to_string(Guide guide);
Guide guide_of(cause::Cause cause, bool never_arrived);

struct Summary {
    std::vector<CauseSum> causes;  // the most frequent first
    std::vector<Tally> guide;      // in the guide's order
    std::vector<Tally> outcomes;   // `left_no_line` last
    std::vector<Minute> minutes;   // those with failures, in order
    std::vector<Minute> bursts;    // with far more than the others
    uint64_t failed = 0;
    uint64_t explained = 0;
};

/// `readings`: one for each ray. Those without a failure count in `outcomes` only.
Summary sum_up(const std::vector<logs::TracedRay>& rays, const std::vector<Reading>& readings);

/// Minutes put together for a plot.
struct Bars {
    uint64_t minutes = 1;  // of each
    std::vector<uint64_t> counts;
};
/// `minutes`: at least one, in order.
Bars bars_of(const std::vector<Minute>& minutes, size_t maximum);

}  // namespace edgecase::diagnose
