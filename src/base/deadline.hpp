// Owns the deadline: a point in steady time that goes down the call chain; `never` is a state.
#pragma once

#include <algorithm>

#include "base/clock.hpp"

namespace edgecase::base {

class Deadline {
  public:
    static constexpr Deadline never() { return Deadline(SteadyTime::max()); }
    static constexpr Deadline at(SteadyTime time) { return Deadline(time); }
    /// `span` from `now`; saturates to never instead of overflowing.
    static constexpr Deadline after(SteadyTime now, Duration span) {
        if (span > SteadyTime::max() - now) return never();
        return Deadline(now + span);
    }

    constexpr bool is_never() const { return time_ == SteadyTime::max(); }
    constexpr bool passed(SteadyTime now) const { return now >= time_; }
    constexpr SteadyTime time() const { return time_; }
    constexpr Deadline earlier(Deadline other) const {
        return Deadline(std::min(time_, other.time_));
    }
    constexpr auto operator<=>(const Deadline&) const = default;

  private:
    explicit constexpr Deadline(SteadyTime time) : time_(time) {}
    SteadyTime time_;
};

}  // namespace edgecase::base
