#include <algorithm>
#include <cmath>
#include <deque>
#include <tuple>
#include <unordered_map>

#include "logs/likeness_cost.hpp"
#include "logs/passes.hpp"

namespace edgecase::logs {
namespace {

using Status = std::expected<void, std::string>;

// What is sampled to compare clocks and to learn which fields tell; then every second key is
// dropped.
constexpr size_t kMaximumSampledKeys = 100'000;
constexpr size_t kLeastPairs = 5;
// Lines whose times differ by more are not the same request, even with clocks compared.
constexpr int64_t kReachUs = 3'000'000;
// How much later than its time a line may stand in a log.
constexpr int64_t kLateEndUs = 10'000'000;
constexpr int64_t kLateStartUs = 130'000'000;  // Apache tells the start and writes at the end
constexpr int64_t kSettleEveryUs = 1'000'000;
constexpr size_t kMaximumCandidates = 64;  // of one request: the nearest
constexpr double kSwapPlausible = 2.0;     // e^-2: one in eight
constexpr double kCertainEnough = 0.6;

LogTime middle(const Likeness& item) {
    return item.from + (item.to - item.from) / 2;
}

/// The same keys on both sides, few enough to keep, for a first comparison.
class Sample {
  public:
    void add_edge(const Likeness& item) {
        if (Seen* const seen = of(item)) {
            if (++seen->edges == 1) seen->edge = item;
        }
    }
    void add_origin(const Likeness& item) {
        if (Seen* const seen = of(item)) {
            if (++seen->origins == 1) seen->origin = item;
        }
    }
    Skew skew() const {
        SkewSample sample;
        for (const auto& [key, seen] : seen_) {
            if (seen.is_pair()) sample.add(middle(seen.edge), middle(seen.origin));
        }
        return sample.estimate(kLeastPairs);
    }
    Telling telling(const Skew& skew) const {
        TellingSample sample;
        for (const auto& [key, seen] : seen_) {
            if (!seen.is_pair()) continue;
            const int64_t apart =
                middle(seen.origin) - middle(seen.edge) - skew.at(middle(seen.edge));
            if (std::abs(apart) <= kReachUs) sample.add(seen.edge, seen.origin);
        }
        return sample.learned();
    }

  private:
    struct Seen {
        Likeness edge;
        Likeness origin;
        uint32_t edges = 0;
        uint32_t origins = 0;
        bool is_pair() const { return edges == 1 && origins == 1; }
    };
    Seen* of(const Likeness& item) {
        if ((item.key >> 7) % every_ != 0) return nullptr;
        if (seen_.size() >= kMaximumSampledKeys && !seen_.contains(item.key)) {
            every_ *= 2;
            std::erase_if(seen_, [&](const auto& one) { return (one.first >> 7) % every_ != 0; });
            if ((item.key >> 7) % every_ != 0) return nullptr;
        }
        return &seen_[item.key];
    }
    std::unordered_map<uint64_t, Seen> seen_;
    uint64_t every_ = 1;
};

/// The requests of one key that wait for the other side.
struct Group {
    std::vector<Likeness> edges;
    std::vector<OriginItem> origins;
};

struct Pair {
    double cost;
    uint32_t edge;
    uint32_t origin;
};
constexpr uint32_t kNobody = UINT32_MAX;

/// One-to-one, the most alike first. Source: greedy matching; with costs that both sides share it
/// is the stable one.
struct Matching {
    std::vector<Pair> pairs;          // all that could be, by cost
    std::vector<uint32_t> origin_of;  // by edge
    std::vector<uint32_t> edge_of;    // by origin
    std::vector<double> cost_of;      // by edge

    double cost_between(uint32_t edge, uint32_t origin) const {
        for (const Pair& pair : pairs) {
            if (pair.edge == edge && pair.origin == origin) return pair.cost;
        }
        return kMostUnlike;
    }
};

class Window {
  public:
    Window(std::vector<TracedRay>& rays, const Skew& skew, const Telling& telling, int64_t late_us)
        : rays_(rays), skew_(skew), telling_(telling), late_us_(late_us), table_(rays.size()) {
        uint32_t index = 0;
        for (const TracedRay& ray : rays) table_.add(ray.edge.ray, index++);
        // Half of the pairs lie within the spread; nearly all within some of it.
        slack_us_ = std::clamp<int64_t>(3 * skew.spread_us(), 20'000, 500'000);
    }

    void add(Likeness edge) {
        const LogTime at = edge.to + skew_.at(edge.to);
        clock_ = std::max(clock_, at);
        waiting_edges_.push_back({at, edge.key});
        groups_[edge.key].edges.push_back(std::move(edge));
    }
    void add(OriginItem origin) {
        const LogTime at = origin.likeness.to;
        clock_ = std::max(clock_, at);
        waiting_origins_.push_back({at, origin.likeness.key});
        groups_[origin.likeness.key].origins.push_back(std::move(origin));
    }
    /// What both sides are past can be decided: they come in step.
    void settle_now_and_then() {
        if (clock_ - settled_ < kSettleEveryUs) return;
        settled_ = clock_;
        settle_until(clock_ - late_us_ - kReachUs);
    }
    void settle_all() { settle_until(INT64_MAX); }

  private:
    struct Waiting {
        LogTime at;
        uint64_t key;
    };

    void settle_until(LogTime limit) {
        while (!waiting_edges_.empty() && waiting_edges_.front().at <= limit) {
            const auto group = groups_.find(waiting_edges_.front().key);
            waiting_edges_.pop_front();
            if (group == groups_.end()) continue;
            decide(group->second, limit);
            if (group->second.edges.empty() && group->second.origins.empty()) groups_.erase(group);
        }
        // Behind the reach of all edges to come.
        const LogTime gone = limit == INT64_MAX ? limit : limit - 2 * kReachUs;
        while (!waiting_origins_.empty() && waiting_origins_.front().at <= gone) {
            const auto group = groups_.find(waiting_origins_.front().key);
            waiting_origins_.pop_front();
            if (group == groups_.end()) continue;
            std::erase_if(group->second.origins,
                          [&](const OriginItem& one) { return one.likeness.to <= gone; });
            if (group->second.edges.empty() && group->second.origins.empty()) groups_.erase(group);
        }
    }

    Matching match(const Group& group) const {
        Matching matching;
        std::vector<Pair> of_edge;
        for (uint32_t e = 0; e < group.edges.size(); ++e) {
            const Likeness& edge = group.edges[e];
            const int64_t skew = skew_.at(edge.to);
            of_edge.clear();
            for (uint32_t o = 0; o < group.origins.size(); ++o) {
                const Likeness& origin = group.origins[o].likeness;
                if (origin.to - skew < edge.from - kReachUs) continue;
                if (origin.from - skew > edge.to + kReachUs) continue;
                const double cost = unlikeness(edge, origin, skew, slack_us_, telling_);
                if (cost < kMostUnlike) of_edge.push_back({cost, e, o});
            }
            if (of_edge.size() > kMaximumCandidates) {
                std::ranges::nth_element(of_edge, of_edge.begin() + kMaximumCandidates, {},
                                         &Pair::cost);
                of_edge.resize(kMaximumCandidates);
            }
            std::ranges::copy(of_edge, std::back_inserter(matching.pairs));
        }
        std::ranges::sort(matching.pairs, {}, [](const Pair& pair) {
            return std::tuple(pair.cost, pair.edge, pair.origin);
        });
        matching.origin_of.assign(group.edges.size(), kNobody);
        matching.edge_of.assign(group.origins.size(), kNobody);
        matching.cost_of.assign(group.edges.size(), kMostUnlike);
        for (const Pair& pair : matching.pairs) {
            if (matching.origin_of[pair.edge] != kNobody) continue;
            if (matching.edge_of[pair.origin] != kNobody) continue;
            matching.origin_of[pair.edge] = pair.origin;
            matching.edge_of[pair.origin] = pair.edge;
            matching.cost_of[pair.edge] = pair.cost;
        }
        return matching;
    }

    void decide(Group& group, LogTime limit) {
        const auto is_due = [&](const Likeness& edge) {
            return limit == INT64_MAX || edge.to + skew_.at(edge.to) <= limit;
        };
        if (std::ranges::none_of(group.edges, is_due)) return;
        const Matching matching = match(group);
        std::vector<bool> edge_done(group.edges.size());
        std::vector<bool> origin_done(group.origins.size());
        for (uint32_t e = 0; e < group.edges.size(); ++e) {
            if (!is_due(group.edges[e])) continue;
            edge_done[e] = true;
            if (matching.origin_of[e] != kNobody) origin_done[matching.origin_of[e]] = true;
            const uint32_t index = table_.find(group.edges[e].ray);
            if (index != RayTable::kAbsent) tell(group, matching, e, rays_[index]);
        }
        keep_rest(group.edges, edge_done);
        keep_rest(group.origins, origin_done);
    }

    /// What else could be: another line for this request, this line for another request, or an
    /// exchange of both.
    void tell(const Group& group, const Matching& matching, uint32_t e, TracedRay& ray) const {
        if (ray.outcome == Outcome::matched) return;
        const uint32_t own = matching.origin_of[e];
        double others = 0;
        std::vector<uint32_t> candidates;
        for (const Pair& pair : matching.pairs) {
            if (pair.edge != e || pair.origin == own) continue;
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
        const double certain = 1 / (1 + others);
        if (own != kNobody) candidates.insert(candidates.begin(), own);
        if (candidates.empty()) return;
        ray.outcome =
            own != kNobody && certain >= kCertainEnough ? Outcome::matched : Outcome::ambiguous;
        ray.confidence = certain;
        const size_t shown = ray.outcome == Outcome::matched ? 1 : TracedRay::kMaximumLines;
        ray.lines.clear();
        for (size_t i = 0; i < std::min(shown, candidates.size()); ++i) {
            ray.lines.push_back(group.origins[candidates[i]].line);
        }
    }

    template <typename Item>
    static void keep_rest(std::vector<Item>& items, const std::vector<bool>& done) {
        size_t kept = 0;
        for (size_t i = 0; i < items.size(); ++i) {
            if (done[i]) continue;
            if (kept != i) items[kept] = std::move(items[i]);
            ++kept;
        }
        items.resize(kept);
    }

    std::vector<TracedRay>& rays_;
    const Skew& skew_;
    Telling telling_;
    int64_t late_us_;
    int64_t slack_us_;
    RayTable table_;
    std::unordered_map<uint64_t, Group> groups_;
    std::deque<Waiting> waiting_edges_;
    std::deque<Waiting> waiting_origins_;
    LogTime clock_ = INT64_MIN / 2;
    LogTime settled_ = INT64_MIN / 2;
};

/// Both sides in step, the one that is behind first.
template <typename OnEdge, typename OnOrigin>
Status walk(ItemStream<Likeness>& edges, ItemStream<OriginItem>& origins, const Skew& skew,
            OnEdge on_edge, OnOrigin on_origin) {
    auto edge = edges.next();
    auto origin = origins.next();
    for (;;) {
        if (!edge) return std::unexpected(edge.error());
        if (!origin) return std::unexpected(origin.error());
        if (!*edge && !*origin) return {};
        const bool edge_first =
            !*origin || (*edge && (*edge)->to + skew.at((*edge)->to) <= (*origin)->likeness.to);
        if (edge_first) {
            on_edge(std::move(**edge));
            edge = edges.next();
        } else {
            on_origin(std::move(**origin));
            origin = origins.next();
        }
    }
}

}  // namespace

std::expected<void, std::string> join_by_likeness(const TraceInput& input,
                                                  const TraceOptions& options,
                                                  const std::vector<size_t>& logs,
                                                  std::vector<TracedRay>& rays, Skew& skew) {
    const Moment moment = moment_of(input, logs);
    const KeyFields fields = key_fields_of(input, logs);
    if (options.progress) options.progress("comparing the clocks", 0, 0);
    Sample sample;
    auto done = walk(
        *edge_stream(input, fields, moment), *origin_stream(input, logs, fields), skew,
        [&](const Likeness& edge) { sample.add_edge(edge); },
        [&](const OriginItem& origin) { sample.add_origin(origin.likeness); });
    if (!done) return done;
    if (!skew.is_known()) skew = sample.skew();

    if (options.progress) options.progress("finding lines by what they say", 0, 0);
    Window window(rays, skew, sample.telling(skew),
                  moment == Moment::start ? kLateStartUs : kLateEndUs);
    done = walk(
        *edge_stream(input, fields, moment), *origin_stream(input, logs, fields), skew,
        [&](Likeness edge) {
            window.add(std::move(edge));
            window.settle_now_and_then();
        },
        [&](OriginItem origin) {
            window.add(std::move(origin));
            window.settle_now_and_then();
        });
    if (!done) return done;
    window.settle_all();
    return {};
}

}  // namespace edgecase::logs
