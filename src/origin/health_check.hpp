// Owns the health check: a request of the edge's own to an origin, now and then.
#pragma once

#include <optional>

#include "config/settings.hpp"
#include "origin/health_board.hpp"
#include "origin/origin.hpp"

namespace edgecase::origin {

/// Counts successes and failures in a row, and turns the state when there are enough.
class HealthJudge {
  public:
    HealthJudge(const config::HealthCheck& check, HealthState& state)
        : check_(check), state_(state) {}
    /// Null: the answer was as expected. What is the edge's own fault says nothing of the origin.
    void take(const std::optional<cause::Failure>& failure);

  private:
    const config::HealthCheck& check_;
    HealthState& state_;
    unsigned failures_ = 0;  // in a row
    unsigned successes_ = 0;
};

/// One check, on a connection of its own that is dialled as those of requests are. Null: healthy.
/// Errors: whatever a request may end with, and origin.status for a status not expected.
net::Task<std::optional<cause::Failure>> check_health(const Surroundings& around, Origin& origin,
                                                      const config::HealthCheck& check);

/// Checks again and again until it is destroyed; the arguments must outlive it.
net::Task<void> keep_checking(Surroundings around, Origin& origin, const config::HealthCheck& check,
                              HealthState& state);

}  // namespace edgecase::origin
