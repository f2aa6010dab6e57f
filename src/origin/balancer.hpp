// Owns one pool as a worker sees it: its origins, and which of them gets the next request.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "cause/failure.hpp"
#include "config/settings.hpp"
#include "origin/health_board.hpp"
#include "origin/origin.hpp"

namespace edgecase::origin {

/// What a failure says of the origin it happened at.
enum class Blame : uint8_t {
    none,         // the client's or the edge's own, or a race
    unreachable,  // it could not be talked to: name, connection, TLS, a transport that broke
    bad_answer,   // it could, and answered badly, or not at all
};
Blame blame_of(cause::Cause cause);

class Upstream {
  public:
    /// One origin of the pool.
    struct Member {
        Origin& origin;
        HealthState& health;
        uint16_t weight;
        uint64_t hash;             // of the URL
        int64_t turn = 0;          // round robin: how much is owed to it
        unsigned unreachable = 0;  // in a row
        unsigned bad_answers = 0;
        unsigned ejections = 0;  // since the last success
        base::SteadyTime ejected_until{};
    };

    /// `pool` and `board` must outlive it. `origins`: one for each of the pool's, in its order.
    /// `seed`: of the random choices.
    Upstream(const config::Pool& pool, std::span<Origin* const> origins, HealthBoard& board,
             size_t number, uint64_t seed);

    /// The origin for the next request. `key`: requests with equal ones go to the same origin under
    /// consistent_hash. When all that are healthy were ejected, ejection gives way.
    /// Errors: null when the health checks have taken out all of them.
    Member* choose(std::string_view key, base::SteadyTime now);
    /// One more try elsewhere. Errors: null when no other is healthy and not ejected.
    Member* choose_other(const Member& than, std::string_view key, base::SteadyTime now);

    void failed(Member& member, const cause::Failure& failure, base::SteadyTime now);
    /// A response's head came.
    void answered(Member& member, uint16_t status, base::SteadyTime now);
    /// The response came whole.
    void completed(Member& member, uint16_t status);

    /// Why choose() gave null.
    cause::Failure none_healthy() const;

    const config::Pool& pool() const { return pool_; }
    std::span<Member> members() { return members_; }

  private:
    Member* choose_among_candidates(std::string_view key);
    Member* next_in_turn();
    Member* less_busy_of_two();
    Member* by_hash(std::string_view key);
    Member* at_random(const Member* except);
    uint64_t random();
    void count(Member& member, unsigned& in_a_row, unsigned limit, base::SteadyTime now);
    void eject(Member& member, base::SteadyTime now);
    bool is_last(const Member& member, base::SteadyTime now) const;

    const config::Pool& pool_;
    std::vector<Member> members_;
    std::vector<Member*> candidates_;  // of the choice under way; kept so that none allocates
    uint64_t random_state_;
};

}  // namespace edgecase::origin
