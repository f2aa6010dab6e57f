// Owns the manners: how many requests may be made, how fast, and for how long.
#pragma once

#include <chrono>

#include "base/clock.hpp"
#include "net/loop.hpp"
#include "net/task.hpp"

namespace edgecase::probe {

struct BudgetLimits {
    unsigned requests = 200;
    unsigned per_second = 25;
    std::chrono::milliseconds time{60'000};
};

class Budget {
  public:
    Budget(net::Loop& loop, const BudgetLimits& limits) : loop_(loop), limits_(limits) {}

    /// Waits for its turn. `count` requests may then be made at once, and the next must wait for
    /// them all. False: there are not so many left.
    net::Task<bool> take(unsigned count = 1);
    unsigned left() const { return limits_.requests - used_; }
    unsigned used() const { return used_; }
    /// Something was not asked for want of requests.
    bool ran_out() const { return ran_out_; }
    const BudgetLimits& limits() const { return limits_; }

  private:
    net::Loop& loop_;
    BudgetLimits limits_;
    unsigned used_ = 0;
    bool ran_out_ = false;
    base::SteadyTime next_{};
};

}  // namespace edgecase::probe
