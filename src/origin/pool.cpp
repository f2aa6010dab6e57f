#include "origin/pool.hpp"

#include <array>

namespace edgecase::origin {

/// Any event on an idle connection (FIN, RST or a byte) is a reason to drop it.
struct Pool::Idle : net::Waiter, net::Timer {
    Idle(Pool& p, Connection c)
        : Waiter([](Waiter& w) { static_cast<Idle&>(w).on_event(); }),
          Timer([](Timer& t) { static_cast<Idle&>(t).on_expiry(); }),
          pool(p),
          connection(std::move(c)) {
        connection.stream.descriptor().reader = this;
    }
    ~Idle() {
        if (connection.stream) connection.stream.descriptor().reader = nullptr;
    }
    void on_event() {
        std::array<char, 1> byte;
        const net::ReadResult got = connection.stream.read_now(byte);
        if (!got && got.error().kind == net::ErrorKind::deadline) return;
        if (got && *got > 0) {
            ++pool.counters_.unexpected_bytes;
        } else {
            ++pool.counters_.closed_by_origin;
        }
        pool.drop(*this);
    }
    void on_expiry() {
        ++pool.counters_.expired;
        pool.drop(*this);
    }
    Pool& pool;
    Connection connection;
    std::list<std::unique_ptr<Idle>>::iterator place;
};

Pool::Pool(net::Loop& loop, std::chrono::milliseconds idle_limit, size_t maximum)
    : loop_(loop), idle_limit_(idle_limit), maximum_(maximum) {}

Pool::~Pool() = default;

void Pool::clear() {
    idle_.clear();
}

void Pool::put(Connection connection) {
    if (idle_.size() >= maximum_) return;
    // A connection that has something to say while idle would answer the next request wrongly.
    if (connection.stream.descriptor().readable) {
        std::array<char, 1> byte;
        const net::ReadResult got = connection.stream.read_now(byte);
        if (got || got.error().kind != net::ErrorKind::deadline) return;
    }
    connection.idle_since = loop_.now();
    auto idle = std::make_unique<Idle>(*this, std::move(connection));
    loop_.timers().arm(*idle, loop_.after(idle_limit_));
    idle_.push_front(std::move(idle));
    idle_.front()->place = idle_.begin();
}

std::optional<Connection> Pool::take() {
    if (idle_.empty()) return std::nullopt;
    const std::unique_ptr<Idle> idle = std::move(idle_.front());
    idle_.pop_front();
    idle->connection.stream.descriptor().reader = nullptr;
    return std::move(idle->connection);
}

void Pool::drop(Idle& idle) {
    idle_.erase(idle.place);
}

}  // namespace edgecase::origin
