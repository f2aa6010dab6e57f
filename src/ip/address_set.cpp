#include "ip/address_set.hpp"

#include <algorithm>
#include <bit>

namespace edgecase::ip {
namespace {

/// The first interval that ends at or behind `address`.
auto first_reaching(std::span<const Interval> intervals, Number address) {
    return std::ranges::lower_bound(intervals, address, {}, &Interval::last);
}

/// One interval is joined to the last one if it touches it. Intervals come by ascending start.
void append_joined(std::vector<Interval>& into, const Interval& interval) {
    if (!into.empty()) {
        Interval& before = into.back();
        if (interval.first <= before.last || interval.first == before.last.next()) {
            before.last = std::max(before.last, interval.last);
            return;
        }
    }
    into.push_back(interval);
}

}  // namespace

void normalise(std::vector<Interval>& intervals) {
    bool is_normal = true;
    for (size_t i = 1; i < intervals.size() && is_normal; ++i) {
        is_normal = intervals[i - 1].last < intervals[i].first &&
                    intervals[i - 1].last.next() != intervals[i].first;
    }
    if (is_normal) return;
    std::ranges::sort(intervals);
    std::vector<Interval> joined;
    joined.reserve(intervals.size());
    for (const Interval& interval : intervals) append_joined(joined, interval);
    intervals = std::move(joined);
}

bool AddressSet::contains(Number address) const {
    const std::span<const Interval> all(intervals_);
    const auto found = first_reaching(all, address);
    return found != all.end() && found->first <= address;
}

AddressSet AddressSet::unite(const AddressSet& other) const {
    AddressSet result(family_);
    result.intervals_.reserve(intervals_.size() + other.intervals_.size());
    auto left = intervals_.begin();
    auto right = other.intervals_.begin();
    while (left != intervals_.end() || right != other.intervals_.end()) {
        const bool takes_left = right == other.intervals_.end() ||
                                (left != intervals_.end() && left->first <= right->first);
        append_joined(result.intervals_, takes_left ? *left++ : *right++);
    }
    return result;
}

AddressSet AddressSet::intersect(const AddressSet& other) const {
    AddressSet result(family_);
    const bool left_is_smaller = intervals_.size() <= other.intervals_.size();
    const std::span<const Interval> few(left_is_smaller ? intervals_ : other.intervals_);
    const std::span<const Interval> many(left_is_smaller ? other.intervals_ : intervals_);
    // A search per interval is dearer than a step, so it pays only where it skips many.
    const bool searches =
        few.size() * static_cast<size_t>(std::bit_width(many.size())) < many.size();
    auto at = many.begin();
    for (const Interval& one : few) {
        if (searches) at = first_reaching(std::span(at, many.end()), one.first);
        while (at != many.end() && at->last < one.first) ++at;
        while (at != many.end() && at->first <= one.last) {
            result.intervals_.push_back(
                {std::max(one.first, at->first), std::min(one.last, at->last)});
            if (at->last > one.last) break;
            ++at;
        }
    }
    return result;
}

AddressSet AddressSet::subtract(const AddressSet& other) const {
    AddressSet result(family_);
    const std::span<const Interval> taken(other.intervals_);
    auto at = taken.begin();
    const bool searches =
        intervals_.size() * static_cast<size_t>(std::bit_width(taken.size())) < taken.size();
    for (const Interval& one : intervals_) {
        if (searches) at = first_reaching(std::span(at, taken.end()), one.first);
        while (at != taken.end() && at->last < one.first) ++at;
        Number from = one.first;
        bool is_used_up = false;
        while (at != taken.end() && at->first <= one.last) {
            if (at->first > from) result.intervals_.push_back({from, at->first.previous()});
            if (at->last >= one.last) {
                is_used_up = true;
                break;
            }
            from = at->last.next();
            ++at;
        }
        if (!is_used_up) result.intervals_.push_back({from, one.last});
    }
    return result;
}

void AddressSet::append_part(const Interval& interval, std::vector<Interval>& into) const {
    const std::span<const Interval> all(intervals_);
    for (auto at = first_reaching(all, interval.first);
         at != all.end() && at->first <= interval.last; ++at) {
        into.push_back({std::max(at->first, interval.first), std::min(at->last, interval.last)});
    }
}

AddressSet AddressSet::complement() const {
    return all(family_).subtract(*this);
}

void append_cidrs(Family family, Interval interval, std::vector<Cidr>& into) {
    Number from = interval.first;
    const unsigned width = bits_of(family);
    while (true) {
        unsigned hosts = std::min(from.trailing_zeros(), width);
        while ((from | Number::ones(hosts)) > interval.last) --hosts;
        into.push_back({family, from, width - hosts});
        const Number last = from | Number::ones(hosts);
        if (last >= interval.last) return;
        from = last.next();
    }
}

std::vector<Cidr> AddressSet::cidrs() const {
    std::vector<Cidr> result;
    for (const Interval& interval : intervals_) append_cidrs(family_, interval, result);
    return result;
}

double size_of(const AddressSet& set) {
    constexpr double kHigh = 18446744073709551616.0;  // 2^64
    double size = 0;
    for (const Interval& one : set.intervals()) {
        size += (static_cast<double>(one.last.high) - static_cast<double>(one.first.high)) * kHigh +
                (static_cast<double>(one.last.low) - static_cast<double>(one.first.low)) + 1;
    }
    return size;
}

}  // namespace edgecase::ip
