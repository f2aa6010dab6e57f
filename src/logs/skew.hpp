// Owns the difference between two machines' clocks, estimated from requests that both logged.
#pragma once

#include <cstdint>
#include <vector>

#include "logs/entry.hpp"

namespace edgecase::logs {

/// How far the origin's clock is ahead of the edge's, over time.
class Skew {
  public:
    struct Point {
        LogTime at;  // of the edge's clock
        int64_t skew_us;
    };

    bool is_known() const { return pairs_ > 0; }
    int64_t at(LogTime edge_time) const;
    int64_t typical_us() const { return typical_us_; }
    /// Half of the differences lie this close to it.
    int64_t spread_us() const { return spread_us_; }
    uint64_t pairs() const { return pairs_; }
    /// Microseconds that the origin's clock gains a second, which is its parts per million.
    double drift_ppm() const;

  private:
    friend class SkewSample;
    std::vector<Point> points_;  // in order of time, at least one if known
    int64_t typical_us_ = 0;
    int64_t spread_us_ = 0;
    uint64_t pairs_ = 0;
};

/// Differences of pairs, some of which may be no pairs at all.
class SkewSample {
  public:
    static constexpr size_t kMaximumPairs = 1u << 18;

    void add(LogTime edge_time, LogTime origin_time) {
        if (pairs_.size() < kMaximumPairs) pairs_.push_back({edge_time, origin_time - edge_time});
    }
    size_t size() const { return pairs_.size(); }
    /// Of the differences those that most agree on; unknown, if fewer than `least` do.
    Skew estimate(size_t least = 1) const;

  private:
    std::vector<Skew::Point> pairs_;
};

}  // namespace edgecase::logs
