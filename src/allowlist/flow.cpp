#include "allowlist/flow.hpp"

#include <algorithm>

namespace edgecase::allowlist {

using ip::Interval;
using ip::Number;

Flow::Flow(const ip::AddressSet& set) : family_(set.family()) {
    for (const Interval& one : set.intervals())
        parts_.emplace_hint(parts_.end(), one.first, one.last);
}

ip::AddressSet Flow::intersect(const ip::AddressSet& set) const {
    if (set.is_all()) return snapshot();
    std::vector<Interval> result;
    const auto intervals = set.intervals();
    if (intervals.size() <= parts_.size()) {
        for (const Interval& one : intervals) {
            auto at = parts_.upper_bound(one.first);
            if (at != parts_.begin() && std::prev(at)->second >= one.first) --at;
            for (; at != parts_.end() && at->first <= one.last; ++at) {
                result.push_back({std::max(at->first, one.first), std::min(at->second, one.last)});
            }
        }
    } else {
        for (const auto& [first, last] : parts_) {
            auto at = std::ranges::lower_bound(intervals, first, {}, &Interval::last);
            for (; at != intervals.end() && at->first <= last; ++at) {
                result.push_back({std::max(at->first, first), std::min(at->last, last)});
            }
        }
    }
    return {family_, std::move(result)};
}

ip::AddressSet Flow::snapshot() const {
    std::vector<Interval> intervals;
    intervals.reserve(parts_.size());
    for (const auto& [first, last] : parts_) intervals.push_back({first, last});
    return {family_, std::move(intervals)};
}

void Flow::remove(const ip::AddressSet& set) {
    for (const Interval& one : set.intervals()) remove(one);
}

void Flow::remove(const Interval& interval) {
    auto at = parts_.upper_bound(interval.first);
    if (at != parts_.begin() && std::prev(at)->second >= interval.first) --at;
    while (at != parts_.end() && at->first <= interval.last) {
        const auto [first, last] = *at;
        at = parts_.erase(at);
        if (first < interval.first) parts_.emplace_hint(at, first, interval.first.previous());
        if (last > interval.last) {
            parts_.emplace_hint(at, interval.last.next(), last);
            return;
        }
    }
}

void Flow::add(const ip::AddressSet& set) {
    if (!set.empty()) without_.clear();
    for (const Interval& one : set.intervals()) add(one);
}

void Flow::add(Interval interval) {
    auto at = parts_.upper_bound(interval.first);
    if (at != parts_.begin() && (std::prev(at)->second >= interval.first ||
                                 std::prev(at)->second.next() == interval.first)) {
        --at;
    }
    // The number behind the last address is 0, before all of them.
    const bool is_end = interval.last == ip::last_of(family_);
    while (at != parts_.end() &&
           (at->first <= interval.last || (!is_end && at->first == interval.last.next()))) {
        interval.first = std::min(interval.first, at->first);
        interval.last = std::max(interval.last, at->second);
        at = parts_.erase(at);
    }
    parts_.emplace_hint(at, interval.first, interval.last);
}

}  // namespace edgecase::allowlist
