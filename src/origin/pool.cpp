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
    explicit Idle(Pool& p)
        : Waiter([](Waiter& w) { static_cast<Idle&>(w).on_event(); }),
          Timer([](Timer& t) { static_cast<Idle&>(t).on_expiry(); }),
          pool(p) {}
    ~Idle() { vacate(); }
    void occupy(Connection&& c) {
        connection = std::move(c);
        connection.stream.descriptor().reader = this;
    }
    Connection vacate() {
        disarm();
        if (connection.stream) connection.stream.descriptor().reader = nullptr;
        return std::move(connection);
    }
    void on_event() {
        std::array<char, 1> byte;
        const net::ReadResult got = connection.stream.read_now(byte);
        if (!got && got.error().kind == net::ErrorKind::deadline) return;
        if (got && *got > 0) {
            ++pool.counters_.unexpected_bytes;
            pool.distrust();  // drops this one too
            return;
        }
        ++pool.counters_.closed_by_origin;
        if (pool.figures_ != nullptr) {
            const auto idle = pool.loop_.now() - connection.idle_since;
            pool.figures_->origin_closed(
                std::chrono::duration_cast<std::chrono::milliseconds>(idle).count());
        }
        pool.remove(*this);
    }
    void on_expiry() {
        ++pool.counters_.expired;
        pool.remove(*this);
    }
    Pool& pool;
    Connection connection;
    List* list = nullptr;  // the one it stands in
    List::iterator place;
};

Pool::Pool(net::Loop& loop, std::chrono::milliseconds idle_limit, size_t maximum, Figures* figures)
    : loop_(loop), idle_limit_(idle_limit), maximum_(maximum), figures_(figures) {}

Pool::~Pool() = default;

void Pool::clear() {
    idle_.clear();
    fresh_.clear();
    settling_.clear();
    show();
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
    if (spare_.empty()) spare_.emplace_back(*this);
    List& list = connection.last_had_no_body ? settling_ : fresh_;
    list.splice(list.end(), spare_, spare_.begin());
    Idle& idle = list.back();
    idle.list = &list;
    idle.place = std::prev(list.end());
    idle.occupy(std::move(connection));
    loop_.timers().arm(idle, loop_.after(idle_limit_));
    show();
}

/// A body behind HEAD, 204 or 304 comes a moment after its head; and what was given back in this
/// very turn of the loop has had no chance to show anything.
void Pool::promote() {
    const auto move_ripe = [&](List& from, base::Duration age) {
        while (!from.empty() && loop_.now() - from.front().connection.idle_since >= age) {
            from.front().list = &idle_;
            idle_.splice(idle_.begin(), from, from.begin());
        }
    };
    move_ripe(fresh_, base::Duration(1));
    move_ripe(settling_, kSettle);
}

std::optional<Connection> Pool::take(Look look) {
    promote();
    while (!idle_.empty()) {
        Idle& candidate = idle_.front();
        net::Stream& stream = candidate.connection.stream;
        net::Descriptor& descriptor = stream.descriptor();
        // A batch of events that was full may have left out the one that matters.
        const bool ask = descriptor.may_read() || look == Look::now || !loop_.heard_all();
        if (ask && stream.has_unread()) {
            descriptor.readable = true;
            const Idle* const looked_at = &candidate;
            candidate.on_event();  // drops it, and all others too if they are not to be trusted
            // Whatever the second look saw, this one is not lent, and the search comes to an end.
            if (!idle_.empty() && &idle_.front() == looked_at) remove(candidate);
            continue;
        }
        Connection connection = candidate.vacate();
        spare_.splice(spare_.begin(), idle_, idle_.begin());
        show();
        return connection;
    }
    return std::nullopt;
}

/// Closes it, and keeps its place for another.
void Pool::remove(Idle& idle) {
    const Connection closed = idle.vacate();
    spare_.splice(spare_.begin(), *idle.list, idle.place);
    show();
}

}  // namespace edgecase::origin
