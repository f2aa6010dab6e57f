#include "logs/likeness_sample.hpp"

#include <cstdlib>

namespace edgecase::logs {
namespace {

constexpr size_t kLeastPairs = 5;
// A request that took longer tells its end from its start by a clock of seconds.
constexpr int64_t kSlowUs = 2'500'000;
constexpr int64_t kAgreeUs = 1'500'000;
constexpr size_t kLeastSlowPairs = 3;

LogTime middle(const Likeness& item) {
    return item.from + (item.to - item.from) / 2;
}

}  // namespace

LikenessSample::Seen* LikenessSample::of(const Likeness& item) {
    if (!is_sampled(item.key)) return nullptr;
    if (seen_.size() >= kMaximumKeys && !seen_.contains(item.key)) {
        every_ *= 2;
        std::erase_if(seen_, [&](const auto& one) { return !is_sampled(one.first); });
        if (!is_sampled(item.key)) return nullptr;
    }
    return &seen_[item.key];
}

void LikenessSample::add_edge(const Likeness& item) {
    Seen* const seen = of(item);
    if (seen == nullptr) return;
    // Delivered twice, it is one request all the same.
    if (seen->edges == 1 && seen->edge.id == item.id) return;
    if (++seen->edges == 1) seen->edge = item;
}

void LikenessSample::add_origin(const Likeness& item) {
    Seen* const seen = of(item);
    if (seen != nullptr && ++seen->origins == 1) seen->origin = item;
}

Skew LikenessSample::skew(std::optional<Moment> moment) const {
    SkewSample sample;
    for (const auto& [key, seen] : seen_) {
        if (!seen.is_pair()) continue;
        sample.add(middle(narrowed(seen.edge, moment)), middle(seen.origin));
    }
    return sample.estimate(kLeastPairs);
}

std::optional<Moment> LikenessSample::moment(const Skew& known) const {
    const Skew at_start = known.is_known() ? known : skew(Moment::start);
    const Skew at_end = known.is_known() ? known : skew(Moment::end);
    const auto agree = [](const Skew& skew, LogTime edge, LogTime origin) {
        return skew.is_known() && std::abs(origin - edge - skew.at(edge)) <= kAgreeUs;
    };
    size_t slow = 0;
    size_t starts = 0;
    size_t ends = 0;
    for (const auto& [key, seen] : seen_) {
        const LogTime end = seen.edge.to - seen.edge.resolution_us / 2;
        if (!seen.is_pair() || seen.edge.first_byte - seen.edge.from < kSlowUs) continue;
        ++slow;
        if (agree(at_start, seen.edge.from, middle(seen.origin))) ++starts;
        if (agree(at_end, end, middle(seen.origin))) ++ends;
    }
    if (slow < kLeastSlowPairs) return std::nullopt;
    if (starts * 5 >= slow * 4 && ends * 2 <= starts) return Moment::start;
    if (ends * 5 >= slow * 4 && starts * 2 <= ends) return Moment::end;
    return std::nullopt;
}

Telling LikenessSample::telling(const Skew& skew, std::optional<Moment> moment) const {
    TellingSample sample;
    for (const auto& [key, seen] : seen_) {
        if (!seen.is_pair()) continue;
        const Likeness edge = narrowed(seen.edge, moment);
        const int64_t apart = middle(seen.origin) - middle(edge) - skew.at(middle(edge));
        if (std::abs(apart) <= kReachUs) sample.add(edge, seen.origin);
    }
    return sample.learned();
}

bool LikenessSample::is_unique(uint64_t key) const {
    const auto found = seen_.find(key);
    return found != seen_.end() && found->second.is_pair();
}

bool LikenessSample::may_have_lines(uint64_t key) const {
    if (!is_sampled(key)) return true;
    const auto found = seen_.find(key);
    return found != seen_.end() && found->second.origins > 0;
}

}  // namespace edgecase::logs
