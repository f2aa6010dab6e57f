// Owns the two kinds of time the house speaks of, and the clock that main hands down.
#pragma once

#include <chrono>
#include <cstdint>

namespace edgecase::base {

using SteadyTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::sys_time<std::chrono::microseconds>;
using Duration = std::chrono::nanoseconds;

class Clock {
  public:
    virtual ~Clock() = default;
    virtual SteadyTime now() const = 0;
    virtual WallTime wall_now() const = 0;
};

class SystemClock final : public Clock {
  public:
    SteadyTime now() const override;
    WallTime wall_now() const override;
};

/// A clock that stands still until a test moves it.
class FakeClock final : public Clock {
  public:
    SteadyTime now() const override { return now_; }
    WallTime wall_now() const override { return wall_; }
    void advance(Duration by) {
        now_ += by;
        wall_ += std::chrono::duration_cast<std::chrono::microseconds>(by);
    }

  private:
    SteadyTime now_{std::chrono::hours(1)};
    WallTime wall_{std::chrono::sys_days(std::chrono::year(2026) / 4 / 25)};
};

inline int64_t milliseconds(Duration d) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
}

inline int64_t microseconds(Duration d) {
    return std::chrono::duration_cast<std::chrono::microseconds>(d).count();
}

}  // namespace edgecase::base
