#include "probe/budget.hpp"

#include <algorithm>

namespace edgecase::probe {

net::Task<bool> Budget::take(unsigned count) {
    if (count > left()) {
        ran_out_ = true;
        co_return false;
    }
    used_ += count;
    const base::SteadyTime turn = std::max(loop_.clock().now(), next_);
    next_ = turn + std::chrono::nanoseconds(std::chrono::seconds(count)) / limits_.per_second;
    co_await loop_.sleep_until(base::Deadline::at(turn));
    co_return true;
}

}  // namespace edgecase::probe
