#include "logs/likeness_window.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace edgecase::logs {
namespace {

// Without a skew the clocks may be apart by what an unattended machine's are.
constexpr int64_t kUnknownReachUs = 60'000'000;
// So much of what comes after a request may still compete for its line.
constexpr int64_t kMarginUs = 10'000'000;
constexpr int64_t kSettleEveryUs = 2'000'000;
// A line is held so long for a request that began before it and is not over.
constexpr int64_t kMaximumSpanUs = 130'000'000;
constexpr size_t kWaitingLineBytes = 1024;  // of one that waits
// Of one request the nearest in time are looked at, and the most alike kept; fewer, if many
// requests have one key: then they are ambiguous in any case.
constexpr size_t kMaximumLookedAt = 1024;
constexpr size_t kLeastLookedAt = 96;
constexpr size_t kLooksOfGroup = 4u << 20;
constexpr size_t kMaximumCandidates = 64;
constexpr size_t kLeastCandidates = 8;
constexpr size_t kCandidatesOfGroup = 1u << 20;
constexpr size_t kLargeGroup = 4096;    // is decided in larger steps
constexpr double kSwapPlausible = 2.0;  // e^-2: one in eight
constexpr double kCertainEnough = 0.6;
constexpr uint32_t kNobody = UINT32_MAX;

struct Pair {
    double cost;
    uint32_t edge;
    uint32_t origin;
};

template <typename Item>
void keep_rest(std::vector<Item>& items, const std::vector<bool>& done) {
    size_t kept = 0;
    for (size_t i = 0; i < items.size(); ++i) {
        if (done[i]) continue;
        if (kept != i) items[kept] = std::move(items[i]);
        ++kept;
    }
    items.resize(kept);
}

std::vector<uint64_t> once_each(std::vector<uint64_t> keys) {
    std::ranges::sort(keys);
    const auto rest = std::ranges::unique(keys);
    keys.erase(rest.begin(), rest.end());
    return keys;
}

}  // namespace

/// One-to-one, the most alike first. Source: greedy matching; with costs that both sides share it
/// is the stable one.
struct LikenessWindow::Matching {
    std::vector<Pair> pairs;          // all that could be: edge by edge, each by cost
    std::vector<size_t> pairs_of;     // where those of an edge begin, and the end
    std::vector<bool> more;           // by edge: there are others, which were not looked at
    std::vector<uint32_t> origin_of;  // by edge
    std::vector<uint32_t> edge_of;    // by origin
    std::vector<double> cost_of;      // by edge

    std::span<const Pair> of(uint32_t edge) const {
        return std::span(pairs).subspan(pairs_of[edge], pairs_of[edge + 1] - pairs_of[edge]);
    }
    double cost_between(uint32_t edge, uint32_t origin) const {
        for (const Pair& pair : of(edge)) {
            if (pair.origin == origin) return pair.cost;
        }
        return kMostUnlike;
    }
};

LikenessWindow::LikenessWindow(std::vector<TracedRay>& rays, const WindowSettings& settings)
    : rays_(rays),
      skew_(settings.skew),
      telling_(settings.telling),
      sample_(settings.sample),
      span_us_(std::min(settings.span_us, kMaximumSpanUs)),
      reach_us_(skew_.is_known() ? kReachUs : kUnknownReachUs),
      table_(rays.size()) {
    uint32_t index = 0;
    for (const TracedRay& ray : rays) table_.add(identity_of(ray.edge), index++);
    // Half of the pairs lie within the spread; nearly all within some of it.
    slack_us_ = skew_.is_known() ? std::clamp<int64_t>(3 * skew_.spread_us(), 20'000, 500'000)
                                 : kUnknownReachUs;
}

void LikenessWindow::mark_unsure(const Likeness& edge) {
    unsure_.add(edge.from);
    unsure_.bridge(edge.to);
}

void LikenessWindow::add(const Likeness& edge) {
    const LogTime at = origin_clock(edge.to);
    clock_ = std::max(clock_, at);
    if (at <= settled_until_) mark_unsure(edge);
    Group& group = groups_[edge.key];
    // What was delivered twice is one request, which needs one line.
    for (auto known = group.edges.rbegin(); known != group.edges.rend(); ++known) {
        if (edge.to - known->to > std::max(edge.resolution_us, known->resolution_us)) break;
        if (known->id == edge.id && known->edge_status == edge.edge_status) return;
    }
    waiting_edges_.push_back({at, edge.key});
    group.is_sorted = group.is_sorted && (group.edges.empty() || group.edges.back().to <= edge.to);
    group.edges.push_back(edge);
}

void LikenessWindow::add(OriginItem origin) {
    const LogTime at = origin.likeness.to;
    clock_ = std::max(clock_, at);
    if (at <= settled_until_) unsure_.add(at - skew_.at(at));
    waiting_origins_.push_back({at, origin.likeness.key});
    Group& group = groups_[origin.likeness.key];
    group.is_sorted =
        group.is_sorted && (group.origins.empty() || group.origins.back().likeness.to <= at);
    if (origin.line.text.size() > kWaitingLineBytes) {
        origin.line.text.resize(kWaitingLineBytes);
        origin.line.text.shrink_to_fit();
    }
    group.origins.push_back(std::move(origin));
}

void LikenessWindow::settle_now_and_then() {
    if (clock_ - settled_at_ < std::max(kSettleEveryUs, reach_us_ / 2)) return;
    settled_at_ = clock_;
    settle_until(clock_ - kMarginUs - reach_us_);
}

void LikenessWindow::settle_all() {
    settle_until(INT64_MAX);
}

void LikenessWindow::settle_until(LogTime limit) {
    std::vector<uint64_t> keys = std::move(put_off_);
    put_off_.clear();
    while (!waiting_edges_.empty() && waiting_edges_.front().at <= limit) {
        keys.push_back(waiting_edges_.front().key);
        waiting_edges_.pop_front();
    }
    for (const uint64_t key : once_each(std::move(keys))) {
        const auto group = groups_.find(key);
        if (group == groups_.end()) continue;
        if (!decide(group->second, limit)) put_off_.push_back(key);
        if (group->second.edges.empty() && group->second.origins.empty()) groups_.erase(group);
    }
    settled_until_ = limit;
    // Behind the reach of all edges to come.
    if (limit != INT64_MAX) drop_origins_until(limit - reach_us_ - span_us_ - kReachUs);
}

void LikenessWindow::drop_origins_until(LogTime gone) {
    std::vector<uint64_t> keys;
    while (!waiting_origins_.empty() && waiting_origins_.front().at <= gone) {
        keys.push_back(waiting_origins_.front().key);
        waiting_origins_.pop_front();
    }
    for (const uint64_t key : once_each(std::move(keys))) {
        const auto group = groups_.find(key);
        if (group == groups_.end()) continue;
        LogTime own = gone;
        for (const Likeness& edge : group->second.edges) {
            own = std::min(own, origin_clock(edge.from) - reach_us_);  // one that was put off
        }
        std::erase_if(group->second.origins,
                      [&](const OriginItem& one) { return one.likeness.to <= own; });
        if (group->second.edges.empty() && group->second.origins.empty()) groups_.erase(group);
    }
}

/// Appends the pairs of one edge.
void LikenessWindow::add_candidates(const Group& group, uint32_t e, Matching& matching) const {
    const Likeness& edge = group.edges[e];
    const int64_t skew = skew_.at(edge.to);
    const size_t begin = matching.pairs.size();
    const auto consider = [&](size_t o) {
        const Likeness& origin = group.origins[o].likeness;
        if (origin.to - skew < edge.from - reach_us_) return;
        if (origin.from - skew > edge.to + reach_us_) return;
        const double cost = unlikeness(edge, origin, skew, slack_us_, telling_);
        if (cost < kMostUnlike) matching.pairs.push_back({cost, e, static_cast<uint32_t>(o)});
    };
    const auto place_of = [&](LogTime time) {
        const auto found = std::ranges::lower_bound(
            group.origins, time, {}, [](const OriginItem& one) { return one.likeness.to; });
        return static_cast<size_t>(found - group.origins.begin());
    };
    constexpr int64_t kLongestResolutionUs = 1'000'000;
    size_t from = place_of(edge.from - reach_us_ + skew);
    size_t to = place_of(edge.to + reach_us_ + skew + kLongestResolutionUs + 1);
    const size_t looks =
        std::clamp(kLooksOfGroup / group.edges.size(), kLeastLookedAt, kMaximumLookedAt);
    const bool too_many = to - from > looks;
    if (too_many) {
        const size_t middle = std::clamp(place_of(edge.from + (edge.to - edge.from) / 2 + skew),
                                         from + looks / 2, to - looks / 2);
        from = middle - looks / 2;
        to = middle + looks / 2;
    }
    for (size_t o = from; o < to; ++o) consider(o);
    const size_t most =
        std::clamp(kCandidatesOfGroup / group.edges.size(), kLeastCandidates, kMaximumCandidates);
    const auto own = std::span(matching.pairs).subspan(begin);
    const auto less = [](const Pair& a, const Pair& b) {
        return std::tuple(a.cost, a.origin) < std::tuple(b.cost, b.origin);
    };
    if (own.size() > most) {
        std::ranges::nth_element(own, own.begin() + static_cast<ptrdiff_t>(most), less);
        matching.pairs.resize(begin + most);
    }
    matching.more[e] = too_many || own.size() > most;
    std::sort(matching.pairs.begin() + static_cast<ptrdiff_t>(begin), matching.pairs.end(), less);
}

LikenessWindow::Matching LikenessWindow::match(const Group& group) const {
    Matching matching;
    matching.more.resize(group.edges.size());
    for (uint32_t e = 0; e < group.edges.size(); ++e) {
        matching.pairs_of.push_back(matching.pairs.size());
        add_candidates(group, e, matching);
    }
    matching.pairs_of.push_back(matching.pairs.size());
    std::vector<uint32_t> by_cost(matching.pairs.size());
    for (uint32_t i = 0; i < by_cost.size(); ++i) by_cost[i] = i;
    std::ranges::sort(by_cost, {}, [&](uint32_t i) {
        const Pair& pair = matching.pairs[i];
        return std::tuple(pair.cost, pair.edge, pair.origin);
    });
    matching.origin_of.assign(group.edges.size(), kNobody);
    matching.edge_of.assign(group.origins.size(), kNobody);
    matching.cost_of.assign(group.edges.size(), kMostUnlike);
    for (const uint32_t i : by_cost) {
        const Pair& pair = matching.pairs[i];
        if (matching.origin_of[pair.edge] != kNobody) continue;
        if (matching.edge_of[pair.origin] != kNobody) continue;
        matching.origin_of[pair.edge] = pair.origin;
        matching.edge_of[pair.origin] = pair.edge;
        matching.cost_of[pair.edge] = pair.cost;
    }
    return matching;
}

bool LikenessWindow::decide(Group& group, LogTime limit) {
    const auto is_due = [&](const Likeness& edge) {
        return limit == INT64_MAX || origin_clock(edge.to) <= limit;
    };
    const auto due = static_cast<size_t>(std::ranges::count_if(group.edges, is_due));
    if (due == 0) return true;
    if (group.edges.size() > kLargeGroup && due < group.edges.size() / 2) return false;
    if (!group.is_sorted) {
        std::ranges::sort(group.edges, {}, &Likeness::to);
        std::ranges::sort(group.origins, {}, [](const OriginItem& one) { return one.likeness.to; });
        group.is_sorted = true;
    }
    const Matching matching = match(group);
    std::vector<bool> edge_done(group.edges.size());
    std::vector<bool> origin_done(group.origins.size());
    for (uint32_t e = 0; e < group.edges.size(); ++e) {
        if (!is_due(group.edges[e])) continue;
        edge_done[e] = true;
        if (matching.origin_of[e] != kNobody) origin_done[matching.origin_of[e]] = true;
        const uint32_t index = table_.find(group.edges[e].id);
        if (index != RayTable::kAbsent) tell(group, matching, e, rays_[index]);
    }
    keep_rest(group.edges, edge_done);
    keep_rest(group.origins, origin_done);
    return true;
}

/// What else could be: another line for this request, this line for another request, or an
/// exchange of both.
void LikenessWindow::tell(const Group& group, const Matching& matching, uint32_t e,
                          TracedRay& ray) {
    if (ray.outcome == Outcome::matched) return;
    const Likeness& edge = group.edges[e];
    const uint32_t own = matching.origin_of[e];
    double others = 0;
    std::vector<uint32_t> candidates;
    for (const Pair& pair : matching.of(e)) {
        if (pair.origin == own) continue;
        const uint32_t rival = matching.edge_of[pair.origin];
        double worse = pair.cost - matching.cost_of[e];
        if (rival != kNobody) {
            const double rival_gets =
                own == kNobody ? kMostUnlike : matching.cost_between(rival, own);
            worse += rival_gets - matching.cost_of[rival];
        }
        if (worse > 4 * kSwapPlausible) continue;
        others += std::exp(-std::max(0.0, worse));
        if (worse < kSwapPlausible) candidates.push_back(pair.origin);
    }
    double certain = 1 / (1 + others);
    if (own != kNobody) candidates.insert(candidates.begin(), own);
    if (candidates.empty() && matching.more[e]) {
        // All that were looked at have gone to others of so many.
        for (const Pair& pair : matching.of(e)) candidates.push_back(pair.origin);
        certain = 0;
    }
    if (candidates.empty()) {
        const bool held_long_enough = edge.to - edge.from <= span_us_;
        const bool can_be_compared = skew_.is_known() || !sample_.may_have_lines(edge.key);
        if (!held_long_enough || !can_be_compared) mark_unsure(edge);
        return;
    }
    const bool can_be_certain = skew_.is_known() || sample_.is_unique(edge.key);
    ray.outcome = own != kNobody && certain >= kCertainEnough && can_be_certain
                      ? Outcome::matched
                      : Outcome::ambiguous;
    ray.confidence = can_be_certain ? certain : std::min(certain, kCertainEnough);
    const size_t shown = ray.outcome == Outcome::matched ? 1 : TracedRay::kMaximumLines;
    ray.lines.clear();
    for (size_t i = 0; i < std::min(shown, candidates.size()); ++i) {
        ray.lines.push_back(group.origins[candidates[i]].line);
    }
}

}  // namespace edgecase::logs
