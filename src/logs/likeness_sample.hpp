// Owns what a first look at both sides' requests teaches of how to compare them.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "logs/likeness_cost.hpp"
#include "logs/skew.hpp"

namespace edgecase::logs {

/// Lines whose times differ by more are not the same request, with clocks compared.
constexpr int64_t kReachUs = 3'000'000;

/// The same keys on both sides, few enough to keep.
class LikenessSample {
  public:
    /// From start to end, not narrowed.
    void add_edge(const Likeness& item);
    void add_origin(const Likeness& item);

    /// Unknown, if too few requests have a key of their own.
    Skew skew(std::optional<Moment> moment) const;
    /// Which end of a request the origin has the time of, by requests that took long; nullopt: they
    /// do not tell.
    std::optional<Moment> moment(const Skew& known) const;
    Telling telling(const Skew& skew, std::optional<Moment> moment) const;

    /// One request has this key on either side: no other can be meant.
    bool is_unique(uint64_t key) const;
    /// False: no line of the origin has it.
    bool may_have_lines(uint64_t key) const;

  private:
    // Then every second key is dropped.
    static constexpr size_t kMaximumKeys = 100'000;

    struct Seen {
        Likeness edge;
        Likeness origin;
        uint32_t edges = 0;
        uint32_t origins = 0;
        bool is_pair() const { return edges == 1 && origins == 1; }
    };
    bool is_sampled(uint64_t key) const { return (key >> 7) % every_ == 0; }
    Seen* of(const Likeness& item);

    std::unordered_map<uint64_t, Seen> seen_;
    uint64_t every_ = 1;
};

}  // namespace edgecase::logs
