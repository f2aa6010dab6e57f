// Owns what the health checks found of each origin of each pool; all workers read it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "cause/failure.hpp"
#include "config/settings.hpp"

namespace edgecase::origin {

/// One origin of one pool. Written by the one worker that checks, read by all.
struct HealthState {
    std::atomic<bool> healthy{true};                           // until checks have shown otherwise
    std::atomic<cause::Cause> last_fault{cause::Cause::none};  // of the last check that failed
    std::atomic<uint16_t> last_status{0};                      // what it answered then, if it did
};

class HealthBoard {
  public:
    /// `before`: what was found under former settings is kept for origins that are still checked.
    explicit HealthBoard(const std::vector<config::Pool>& pools,
                         const HealthBoard* before = nullptr);

    HealthState& at(size_t pool, size_t origin) { return rows_[first_[pool] + origin].state; }
    /// `take(pool, origin URL, state)` for each origin of a pool.
    template <typename Take>
    void for_each(Take take) const {
        for (const Row& row : rows_) take(row.pool, row.origin, row.state);
    }
    /// True for the first who asks: that one checks, for all.
    bool claim_checking() { return !claimed_.exchange(true); }

  private:
    struct Row {
        Row(std::string p, std::string o) : pool(std::move(p)), origin(std::move(o)) {}
        std::string pool;
        std::string origin;
        HealthState state;
    };
    std::deque<Row> rows_;       // their addresses stay
    std::vector<size_t> first_;  // of each pool
    std::atomic<bool> claimed_{false};
};

/// A failed check in the words of Cloudflare's health checks: `TCP connection failed`.
/// Source: Cloudflare, load balancing, common error codes.
std::string_view health_fault_name(cause::Cause cause);

}  // namespace edgecase::origin
