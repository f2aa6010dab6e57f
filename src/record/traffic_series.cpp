#include "record/traffic_series.hpp"

#include <algorithm>

namespace edgecase::record {

void SeriesMaker::Counts::add(base::WallTime start, uint64_t requests) {
    total += requests;
    // They mostly come by time.
    if (!steps.empty() && steps.back().first == start) {
        steps.back().second += requests;
        return;
    }
    auto at =
        std::ranges::lower_bound(steps, start, {}, [](const auto& step) { return step.first; });
    if (at == steps.end() || at->first != start) at = steps.insert(at, {start, 0});
    at->second += requests;
}

void SeriesMaker::Counts::merge(const Counts& other) {
    for (const auto& [start, requests] : other.steps) add(start, requests);
}

void SeriesMaker::add(std::string_view key, base::WallTime start, uint64_t requests) {
    if (key == kOtherLabel) {
        other_.add(start, requests);
        return;
    }
    auto found = keys_.find(key);
    if (found == keys_.end()) {
        if (keys_.size() >= kMaximumKeys) fold_smaller_half();
        found = keys_.try_emplace(std::string(key)).first;
    }
    found->second.add(start, requests);
}

std::vector<SeriesMaker::Map::const_iterator> SeriesMaker::largest_first() const {
    std::vector<Map::const_iterator> order;
    order.reserve(keys_.size());
    for (auto one = keys_.begin(); one != keys_.end(); ++one) order.push_back(one);
    std::ranges::sort(order, [](const auto& a, const auto& b) {
        if (a->second.total != b->second.total) return a->second.total > b->second.total;
        return a->first < b->first;
    });
    return order;
}

void SeriesMaker::fold_smaller_half() {
    const auto order = largest_first();
    for (size_t i = order.size() / 2; i < order.size(); ++i) {
        other_.merge(order[i]->second);
        keys_.erase(order[i]);
    }
}

std::vector<TrafficSeries> SeriesMaker::series(const std::vector<base::WallTime>& times) const {
    const auto order = largest_first();
    const bool cut = other_.total != 0 || order.size() > Traffic::kSeries;
    const size_t own = cut ? std::min(order.size(), Traffic::kSeries - 1) : order.size();
    std::vector<TrafficSeries> all;
    const auto show = [&](std::string_view key, const Counts& counts) {
        TrafficSeries& one = all.emplace_back(std::string(key), counts.total);
        one.requests.resize(times.size());
        for (const auto& [start, requests] : counts.steps) {
            const auto at = std::ranges::lower_bound(times, start);
            if (at != times.end() && *at == start) {
                one.requests[static_cast<size_t>(at - times.begin())] += requests;
            }
        }
    };
    for (size_t i = 0; i < own; ++i) show(order[i]->first, order[i]->second);
    if (!cut) return all;
    Counts rest = other_;
    for (size_t i = own; i < order.size(); ++i) rest.merge(order[i]->second);
    show(kOtherLabel, rest);
    return all;
}

}  // namespace edgecase::record
