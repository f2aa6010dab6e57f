// Owns the idle connections to one origin, and watches them so that a dead one is not reused.
#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <optional>

#include "net/loop.hpp"
#include "origin/connection.hpp"
#include "origin/figures.hpp"

namespace edgecase::origin {

/// What became of idle connections; the origin's keep-alive time can be read from it.
struct PoolCounters {
    uint64_t closed_by_origin = 0;
    uint64_t unexpected_bytes = 0;  // bytes nobody asked for: more than a response was sent
    uint64_t expired = 0;           // ours: pool_idle passed
};

/// Last in, first out: the connection that was idle shortest is least likely to be closing.
class Pool {
  public:
    /// `figures`: where its size is shown; null: nowhere.
    Pool(net::Loop& loop, std::chrono::milliseconds idle_limit, size_t maximum,
         Figures* figures = nullptr);
    ~Pool();

    /// Closes the connection instead if the pool is full or it is readable already.
    void put(Connection connection);
    enum class Look : uint8_t {
        as_heard,  // what the loop knew when this batch of events began
        now,       // the receive queue itself: one system call more
    };
    /// Never one that has something unread, nor one that may still get the rest of a response that
    /// should have had no body. `now` is for requests that cannot be sent twice.
    std::optional<Connection> take(Look look = Look::as_heard);
    /// The origin has sent bytes nobody asked for: nothing of it is reused for a while, because the
    /// next such bytes could become another client's response.
    void distrust();
    size_t size() const { return idle_.size() + fresh_.size() + settling_.size(); }
    const PoolCounters& counters() const { return counters_; }
    void clear();

  private:
    struct Idle;
    void promote();
    void show() {
        if (figures_ != nullptr) figures_->set_idle(size());
    }

    net::Loop& loop_;
    std::chrono::milliseconds idle_limit_;
    size_t maximum_;
    Figures* figures_;
    using List = std::list<Idle>;
    void remove(Idle& idle);

    List spare_;     // places without a connection, so that a request costs no allocation
    List idle_;      // newest first
    List fresh_;     // given back in this turn of the loop; newest last
    List settling_;  // given back a moment ago after a response without a body; newest last
    base::SteadyTime trusted_from_{};
    PoolCounters counters_;
};

}  // namespace edgecase::origin
