#include "origin/pool.hpp"

#include <array>
#include <iterator>

namespace edgecase::origin {
namespace {

// Bytes written right behind a head follow it within a millisecond or so on one network.
constexpr std::chrono::milliseconds kSettle{10};
// Long enough that a faulty origin does not show its fault to clients again and again.
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
        }
        ++pool.counters_.closed_by_origin;
        pool.drop(*this);
    }
    void on_expiry() {
        ++pool.counters_.expired;
        pool.drop(*this);
    }
    Pool& pool;
    Connection connection;
    List* list = nullptr;  // the one it stands in
    List::iterator place;
};

Pool::Pool(net::Loop& loop, std::chrono::milliseconds idle_limit, size_t maximum)
    : loop_(loop), idle_limit_(idle_limit), maximum_(maximum) {}

Pool::~Pool() = default;

void Pool::clear() {
    idle_.clear();
    fresh_.clear();
    settling_.clear();
}

void Pool::distrust() {
    trusted_from_ = loop_.now() + kDistrust;
    clear();
}

void Pool::put(Connection connection) {
    if (size() >= maximum_ || loop_.now() < trusted_from_) return;
    // A connection that has something to say while idle would answer the next request wrongly.
    if (connection.stream.descriptor().readable) {
        std::array<char, 1> byte;
        const net::ReadResult got = connection.stream.read_now(byte);
        if (got || got.error().kind != net::ErrorKind::deadline) return;
    }
    connection.idle_since = loop_.now();
    List& list = connection.last_had_no_body ? settling_ : fresh_;
    list.push_back(std::make_unique<Idle>(*this, std::move(connection)));
    Idle& idle = *list.back();
    idle.list = &list;
    idle.place = std::prev(list.end());
    loop_.timers().arm(idle, loop_.after(idle_limit_));
}

/// A body behind HEAD, 204 or 304 comes a moment after its head; and what was given back in this
/// very turn of the loop has had no chance to show anything.
void Pool::promote() {
    const auto move_ripe = [&](List& from, base::Duration age) {
        while (!from.empty() && loop_.now() - from.front()->connection.idle_since >= age) {
            from.front()->list = &idle_;
            idle_.splice(idle_.begin(), from, from.begin());
        }
    };
    move_ripe(fresh_, base::Duration(1));
    move_ripe(settling_, kSettle);
}

std::optional<Connection> Pool::take() {
    promote();
    while (!idle_.empty()) {
        Idle& candidate = *idle_.front();
        if (candidate.connection.stream.has_unread()) {
            // The loop has not heard of it yet, or it would be gone.
            const Idle* const looked_at = &candidate;
            candidate.connection.stream.descriptor().readable = true;
            candidate.on_event();  // drops it, and all others too if they are not to be trusted
            // Whatever the second look saw, this one is not lent, and the search comes to an end.
            if (!idle_.empty() && idle_.front().get() == looked_at) idle_.pop_front();
            continue;
        }
        const std::unique_ptr<Idle> idle = std::move(idle_.front());
        idle_.pop_front();
        idle->connection.stream.descriptor().reader = nullptr;
        return std::move(idle->connection);
    }
    return std::nullopt;
}

void Pool::drop(Idle& idle) {
    idle.list->erase(idle.place);
}

}  // namespace edgecase::origin
