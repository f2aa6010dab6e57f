#include "origin/pool.hpp"

#include <array>

namespace edgecase::origin {
namespace {

constexpr std::chrono::milliseconds kSettle{10};
constexpr std::chrono::seconds kDistrust{60};

}  // namespace

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
            Pool& owner = pool;
            owner.distrust();  // drops this one too
            return;
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

void Pool::distrust() {
    trusted_from_ = loop_.now() + kDistrust;
    idle_.clear();
}

void Pool::put(Connection connection) {
    if (idle_.size() >= maximum_ || loop_.now() < trusted_from_) return;
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
    for (auto place = idle_.begin(); place != idle_.end();) {
        Connection& candidate = (*place)->connection;
        const auto idle_for = loop_.now() - candidate.idle_since;
        // A body behind HEAD, 204 or 304 comes a moment after its head; and what was given back in
        // this very turn of the loop has had no chance to show anything.
        if (idle_for < (candidate.last_had_no_body ? kSettle : base::Duration(1))) {
            ++place;
            continue;
        }
        if (candidate.stream.has_unread()) {
            const auto bad = place++;
            (*bad)->on_event();
            // A distrusted origin's whole pool is gone, and with it our place.
            if (loop_.now() < trusted_from_) return std::nullopt;
            continue;
        }
        const std::unique_ptr<Idle> idle = std::move(*place);
        idle_.erase(place);
        idle->connection.stream.descriptor().reader = nullptr;
        return std::move(idle->connection);
    }
    return std::nullopt;
}

void Pool::drop(Idle& idle) {
    idle_.erase(idle.place);
}

}  // namespace edgecase::origin
