#include "logs/skew.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace edgecase::logs {
namespace {

// Logs tell seconds, and the two ends of a request are further apart the slower it is.
constexpr int64_t kAgreeUs = 3'000'000;
constexpr int64_t kStretchUs = 600'000'000;  // clocks are compared once in so much time
constexpr size_t kPairsOfStretch = 30;

int64_t median(std::vector<int64_t>& values) {
    const auto middle = values.begin() + static_cast<int64_t>(values.size() / 2);
    std::ranges::nth_element(values, middle);
    return *middle;
}

/// The start of the span of kAgreeUs that holds the most of the sorted values.
int64_t densest(const std::vector<int64_t>& sorted) {
    size_t best = 0;
    size_t most = 0;
    size_t end = 0;
    for (size_t i = 0; i < sorted.size(); ++i) {
        while (end < sorted.size() && sorted[end] - sorted[i] <= kAgreeUs) ++end;
        if (end - i > most) {
            most = end - i;
            best = i;
        }
    }
    return sorted[best];
}

}  // namespace

int64_t Skew::at(LogTime edge_time) const {
    if (points_.empty()) return 0;
    const auto after = std::ranges::lower_bound(points_, edge_time, {}, &Point::at);
    if (after == points_.begin()) return points_.front().skew_us;
    if (after == points_.end()) return points_.back().skew_us;
    const Point& left = *(after - 1);
    const double part = static_cast<double>(edge_time - left.at) /
                        static_cast<double>(std::max<int64_t>(1, after->at - left.at));
    const auto change = static_cast<double>(after->skew_us - left.skew_us);
    return left.skew_us + static_cast<int64_t>(std::llround(part * change));
}

double Skew::drift_ppm() const {
    if (points_.size() < 2) return 0;
    const double time = static_cast<double>(points_.back().at - points_.front().at) / 1e6;
    return static_cast<double>(points_.back().skew_us - points_.front().skew_us) / time;
}

Skew SkewSample::estimate(size_t least) const {
    Skew skew;
    if (pairs_.empty()) return skew;
    std::vector<Skew::Point> pairs = pairs_;
    std::ranges::sort(pairs, {}, &Skew::Point::at);
    std::vector<int64_t> all;
    for (const Skew::Point& pair : pairs) all.push_back(pair.skew_us);
    std::ranges::sort(all);
    // A clock drifts over the length of the log: those near the mode decide, stretch by stretch.
    const int64_t drift_allowance = (pairs.back().at - pairs.front().at) / 2000;
    const int64_t from = densest(all) - kAgreeUs - drift_allowance;
    const int64_t to = densest(all) + 2 * kAgreeUs + drift_allowance;
    std::vector<int64_t> near;
    std::vector<int64_t> stretch;
    LogTime begin = pairs.front().at;
    LogTime last = begin;
    const auto finish_stretch = [&] {
        if (stretch.size() < kPairsOfStretch) return;
        skew.points_.push_back({begin + (last - begin) / 2, median(stretch)});
        stretch.clear();
    };
    for (const Skew::Point& pair : pairs) {
        if (pair.skew_us < from || pair.skew_us > to) continue;
        near.push_back(pair.skew_us);
        if (pair.at - begin > kStretchUs && stretch.size() >= kPairsOfStretch) {
            finish_stretch();
            begin = pair.at;
        }
        stretch.push_back(pair.skew_us);
        last = pair.at;
    }
    if (near.size() < least) return {};
    finish_stretch();
    skew.pairs_ = near.size();
    skew.typical_us_ = median(near);
    if (skew.points_.empty()) skew.points_.push_back({begin, skew.typical_us_});
    for (int64_t& one : near) one = std::abs(one - skew.typical_us_);
    skew.spread_us_ = median(near);
    return skew;
}

}  // namespace edgecase::logs
