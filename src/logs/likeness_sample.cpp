#include "logs/likeness_sample.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

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
    Times* const times = times_of(item.key);
    if (times != nullptr && times->edges.size() < kMaximumTimes) times->edges.push_back(item);
}

LikenessSample::Times* LikenessSample::times_of(uint64_t key) {
    if (const auto known = repeated_.find(key); known != repeated_.end()) return &known->second;
    return repeated_.size() >= kMaximumRepeatedKeys ? nullptr : &repeated_[key];
}

void LikenessSample::add_origin(const Likeness& item) {
    Seen* const seen = of(item);
    if (seen == nullptr) return;
    if (++seen->origins == 1) seen->origin = item;
    // What the edge did not have at all says nothing.
    const auto times = repeated_.find(item.key);
    if (times == repeated_.end() || times->second.origins.size() >= kMaximumTimes) return;
    times->second.origins.push_back(middle(item));
}

Skew LikenessSample::skew_of_repeated(std::optional<Moment> moment) const {
    constexpr size_t kLeastRepeated = 30;
    std::vector<Skew::Point> pairs;
    for (const auto& [key, times] : repeated_) {
        for (const Likeness& edge : times.edges) {
            const LogTime at = middle(narrowed(edge, moment));
            for (const LogTime origin : times.origins) {
                if (pairs.size() < SkewSample::kMaximumPairs) pairs.push_back({at, origin - at});
            }
        }
    }
    std::ranges::sort(pairs, {}, &Skew::Point::skew_us);
    // The fullest stretch of kReachUs, and the fullest that has nothing to do with it.
    const auto fullest = [&](int64_t without) {
        std::pair<size_t, int64_t> best{0, 0};
        size_t end = 0;
        for (size_t i = 0; i < pairs.size(); ++i) {
            const int64_t from = pairs[i].skew_us;
            while (end < pairs.size() && pairs[end].skew_us - from <= kReachUs) ++end;
            if (std::abs(from - without) <= 2 * kReachUs) continue;
            best = std::max(best, {end - i, from});
        }
        return best;
    };
    const auto [count, from] = fullest(INT64_MAX / 2);
    if (count < kLeastRepeated || 2 * fullest(from).first > count) return {};
    SkewSample sample;
    for (const Skew::Point& pair : pairs) {
        if (pair.skew_us >= from - kReachUs && pair.skew_us <= from + 2 * kReachUs) {
            sample.add(pair.at, pair.at + pair.skew_us);
        }
    }
    return sample.estimate(kLeastRepeated);
}

Skew LikenessSample::skew(std::optional<Moment> moment) const {
    SkewSample sample;
    for (const auto& [key, seen] : seen_) {
        if (!seen.is_pair()) continue;
        sample.add(middle(narrowed(seen.edge, moment)), middle(seen.origin));
    }
    const Skew known = sample.estimate(kLeastPairs);
    return known.is_known() ? known : skew_of_repeated(moment);
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
