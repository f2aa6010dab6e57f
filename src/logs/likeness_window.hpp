// Owns the requests of both sides that wait for each other, and which of them are one.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <unordered_map>
#include <vector>

#include "logs/coverage.hpp"
#include "logs/likeness_sample.hpp"

namespace edgecase::logs {

struct WindowSettings {
    const Skew& skew;
    Telling telling;
    const LikenessSample& sample;
    /// From the first moment to the last that an edge's request leaves open, at most.
    int64_t span_us;
};

/// Both sides are put in as they come in time; it fills the rays whose requests it decides.
class LikenessWindow {
  public:
    LikenessWindow(std::vector<TracedRay>& rays, const WindowSettings& settings);

    void add(const Likeness& edge);
    void add(OriginItem origin);
    /// What both sides are past can be decided: they come in step.
    void settle_now_and_then();
    void settle_all();

    /// Times of the edge's clock at which a line may be missing though it is there: the logs are
    /// further out of order than could be held, or the clocks cannot be compared.
    std::vector<FileTimes::Piece> unsure() const { return unsure_.pieces(); }

  private:
    /// The requests of one key, each side in order of time.
    struct Group {
        std::vector<Likeness> edges;
        std::vector<OriginItem> origins;
        bool is_sorted = true;
    };
    struct Waiting {
        LogTime at;
        uint64_t key;
    };
    struct Matching;

    void settle_until(LogTime limit);
    void drop_origins_until(LogTime gone);
    Matching match(const Group& group) const;
    void add_candidates(const Group& group, uint32_t edge, Matching& matching) const;
    /// False: put off.
    bool decide(Group& group, LogTime limit);
    void tell(const Group& group, const Matching& matching, uint32_t edge, TracedRay& ray);
    LogTime origin_clock(LogTime edge) const { return edge + skew_.at(edge); }
    void mark_unsure(const Likeness& edge);

    std::vector<TracedRay>& rays_;
    const Skew& skew_;
    Telling telling_;
    const LikenessSample& sample_;
    int64_t span_us_;
    int64_t reach_us_;
    int64_t slack_us_;
    RayTable table_;
    std::unordered_map<uint64_t, Group> groups_;
    std::deque<Waiting> waiting_edges_;
    std::deque<Waiting> waiting_origins_;
    std::vector<uint64_t> put_off_;
    FileTimes unsure_;
    LogTime clock_ = INT64_MIN / 2;
    LogTime settled_at_ = INT64_MIN / 2;
    LogTime settled_until_ = INT64_MIN / 2;
};

}  // namespace edgecase::logs
