#include "origin/origin.hpp"

#include <algorithm>

#include "origin/origin_failure.hpp"
#include "origin/transport_failure.hpp"
#include "tls/handshake.hpp"

namespace edgecase::origin {
namespace {

// Source: Cloudflare, TCP connections to the origin: a probe after the idle time, the next at half
// of it, two unanswered.
constexpr int kKeepAliveProbes = 2;
// Long enough that a faulty origin does not cost each request an attempt, short enough that it is
// tried again soon after it was mended.
constexpr std::chrono::minutes kHttp2Distrust{10};

/// Counts a connection as open until it is kept or, failed or cancelled, forgotten.
class Opening {
  public:
    explicit Opening(OpenCount& open) : open_(open) { ++open_; }
    Opening(const Opening&) = delete;
    Opening& operator=(const Opening&) = delete;
    ~Opening() {
        if (!kept_) --open_;
    }
    void keep() { kept_ = true; }

  private:
    OpenCount& open_;
    bool kept_ = false;
};

}  // namespace

/// One HTTP/2 connection. Its streams are counted as the requests of one connection.
struct Origin::Shared {
    mux::Connection connection;
    uint64_t id;
    ip::Endpoint origin;
    ip::Endpoint edge;
    base::SteadyTime opened;
    base::SteadyTime idle_since;
    uint16_t tls_version;
    bool tls_resumed;
    bool client_cert_requested;
    bool client_cert_sent;
    bool alone;  // for one stream only
};

/// A connection that others may wait for while it is made.
struct Origin::Connecting {
    explicit Connecting(Origin* o) : origin(o) {
        if (origin != nullptr) ++origin->connecting_;
    }
    Connecting(const Connecting&) = delete;
    Connecting& operator=(const Connecting&) = delete;
    ~Connecting() {
        if (origin == nullptr) return;
        --origin->connecting_;
        if (failed) ++origin->connects_failed_;
        origin->connected_.notify_all();
    }
    Origin* origin;
    bool failed = false;  // not so if the request was given up meanwhile
};

Origin::Origin(const Surroundings& surroundings, http::OriginUrl url)
    : around_(surroundings),
      url_(std::move(url)),
      url_text_(url_.to_string()),
      authority_(url_.authority()),
      dialer_(around_.loop, around_.settings),
      figures_(around_.switches != nullptr ? around_.switches->make_figures(url_text_) : nullptr),
      pool_(around_.loop, around_.settings.timeouts.pool_idle,
            around_.settings.limits.pool_connections, figures_.get()),
      connected_(around_.loop),
      open_(figures_.get()),
      maximum_open_((around_.settings.limits.origin_connections +
                     std::max(1u, around_.settings.workers) - 1) /
                    std::max(1u, around_.settings.workers)) {
    if (around_.switches != nullptr) http2_switch_ = &around_.switches->http2(url_text_);
    using config::SslMode;
    const bool https = url_.scheme == http::OriginUrl::Scheme::https;
    const SslMode mode = around_.settings.origin_tls.mode;
    speaks_tls_ = https && (mode == SslMode::full || mode == SslMode::strict);
    // Flexible and off mean plain HTTP, on its own port unless the URL names one.
    port_ = https && !speaks_tls_ && url_.port == 443 ? 80 : url_.port;
}

Origin::~Origin() = default;

void Origin::close() {
    pool_.clear();
    tasks_.cancel_all();
    shared_.clear();
}

std::optional<Connection> Origin::take_existing(const Wish& wish) {
    if (open_ >= maximum_open_) return std::nullopt;
    follow_switch();
    if (!wish.http1_only && http2_allowed()) {
        if (auto connection = open_shared_stream()) return connection;
    }
    auto connection = pool_.take(wish.look);
    if (!connection) return std::nullopt;
    ++connection->requests;
    connection->bytes_before = connection->stream.bytes_written();
    ++open_;
    return connection;
}

std::optional<Connection> Origin::open_shared_stream() {
    for (const auto& shared : shared_) {
        if (shared->alone) continue;
        if (auto connection = open_stream(*shared)) return connection;
    }
    return std::nullopt;
}

/// A burst of first requests shares the connection that the first of them makes. Null: there is
/// none to wait for, or it failed, or it did not become HTTP/2.
net::Task<std::optional<Connection>> Origin::await_shared(const Wish& wish) {
    const config::Timeouts& timeouts = around_.settings.timeouts;
    const base::Deadline deadline =
        around_.loop.after(timeouts.connect + timeouts.tls_handshake).earlier(wish.deadline);
    // Whoever waited for one that failed goes on alone: in turns, the last would wait for them all.
    const uint64_t failed = connects_failed_;
    while (connecting_ > 0 && failed == connects_failed_ && !chose_http1_ && http2_allowed()) {
        if (!co_await connected_.wait(deadline)) break;
        follow_switch();
        if (open_ >= maximum_open_ || !http2_allowed()) break;
        if (auto connection = open_shared_stream()) co_return connection;
    }
    co_return std::nullopt;
}

std::optional<Connection> Origin::open_stream(Shared& shared) {
    const bool was_idle = shared.connection.open_streams() == 0;
    auto stream = shared.connection.open();
    if (!stream) return std::nullopt;
    Connection connection;
    connection.stream_id = mux::stream_id(*stream);
    connection.rested = was_idle;
    connection.stream = std::move(*stream);
    connection.id = shared.id;
    connection.origin = shared.origin;
    connection.edge = shared.edge;
    connection.opened = shared.opened;
    connection.idle_since = was_idle ? shared.idle_since : around_.loop.now();
    connection.requests = static_cast<uint32_t>(shared.connection.streams_made());
    connection.tls_version = shared.tls_version;
    connection.tls_resumed = shared.tls_resumed;
    connection.client_cert_requested = shared.client_cert_requested;
    connection.client_cert_sent = shared.client_cert_sent;
    ++open_;
    return connection;
}

net::Task<std::expected<Connection, cause::Failure>> Origin::connect(
    record::Attempt& attempt, Wish wish, std::vector<record::Attempt>& others) {
    if (open_ >= maximum_open_) {
        co_return std::unexpected(connection_limit(open_, maximum_open_));
    }
    follow_switch();
    net::Loop& loop = around_.loop;
    const base::SteadyTime begin = loop.clock().now();
    base::Duration waited{};  // for a connection that another request was making
    const bool may_share = speaks_tls_ && !wish.http1_only && !wish.alone && !wish.fresh;
    if (may_share && http2_allowed()) {
        auto shared = co_await await_shared(wish);
        waited = loop.clock().now() - begin;
        if (shared) {
            attempt.dns_us = attempt.tls_us = 0;
            attempt.connect_us = base::microseconds(waited);
            co_return std::move(*shared);
        }
    }
    Connecting connecting(may_share ? this : nullptr);
    const config::Timeouts& timeouts = around_.settings.timeouts;
    const base::SteadyTime start = loop.clock().now();
    auto resolved = co_await around_.resolver.resolve(
        url_.host, loop.after(timeouts.dns).earlier(wish.deadline));
    const base::Duration dns_time = loop.clock().now() - start;
    attempt.dns_us = base::microseconds(dns_time);
    connecting.failed = !resolved;
    if (!resolved) {
        co_return std::unexpected(dns_failure(resolved.error(), url_.host, dns_time));
    }
    if (resolved->stale) {
        attempt.dns_stale = dns_failure(*resolved->stale, url_.host, dns_time).cause();
    }
    std::vector<ip::Address>& addresses = resolved->addresses;
    const auto impossible = [](const ip::Address& one) {
        return one.is_unspecified() || one.is_multicast();
    };
    const ip::Address first = addresses.front();
    std::erase_if(addresses, impossible);
    if (addresses.empty()) {
        attempt.origin = {first, port_};
        co_return std::unexpected(address_prohibited(url_.host, first));
    }
    address_count_ = addresses.size();
    const auto failed = [&](const ip::Address& one) {
        return std::ranges::find(wish.avoid, one) != wish.avoid.end();
    };
    if (!std::ranges::all_of(addresses, failed)) std::erase_if(addresses, failed);
    // Others may have come first while this one waited for them or for the name.
    if (open_ >= maximum_open_) {
        co_return std::unexpected(connection_limit(open_, maximum_open_));
    }
    Opening opening(open_);
    auto stream = co_await dialer_.dial(addresses, port_, wish.deadline, attempt, others);
    attempt.connect_us += base::microseconds(waited);
    connecting.failed = !stream;
    if (!stream) co_return std::unexpected(stream.error());
    using std::chrono::seconds;
    const auto wanted = std::chrono::duration_cast<seconds>(timeouts.keep_alive);
    const seconds idle = std::max(seconds(1), wanted);
    stream->set_keep_alive(idle, std::max(seconds(1), idle / 2), kKeepAliveProbes);
    if (speaks_tls_) {
        auto secured = co_await secure(std::move(*stream), attempt, wish);
        connecting.failed = !secured;
        // A stream counts for itself.
        if (secured && secured->stream_id == 0) opening.keep();
        co_return secured;
    }
    Connection connection;
    connection.stream = std::move(*stream);
    connection.id = next_id_++;
    connection.origin = attempt.origin;
    connection.edge = attempt.edge;
    connection.opened = loop.now();
    connection.requests = 1;
    opening.keep();
    co_return connection;
}

std::string_view Origin::tls_name() const {
    const std::string& name = around_.settings.origin_tls.name;
    return name.empty() ? url_.host : name;
}

net::Task<std::expected<Connection, cause::Failure>> Origin::secure(net::Stream stream,
                                                                    record::Attempt& attempt,
                                                                    Wish wish) {
    net::Loop& loop = around_.loop;
    const config::Timeouts& timeouts = around_.settings.timeouts;
    const base::SteadyTime begin = loop.clock().now();
    const std::string name(tls_name());
    auto shaken =
        co_await tls::connect(stream, *around_.tls, name, name + ":" + std::to_string(port_),
                              !wish.http1_only && http2_allowed(),
                              loop.after(timeouts.tls_handshake).earlier(wish.deadline));
    attempt.tls_us = base::microseconds(loop.clock().now() - begin);
    if (!shaken) {
        co_return std::unexpected(
            handshake_failure(shaken.error(), attempt.origin, timeouts.tls_handshake));
    }
    const auto version = static_cast<uint16_t>(shaken->version == "TLSv1.3" ? 0x0304 : 0x0303);
    if (!wish.http1_only && http2_allowed()) chose_http1_ = shaken->alpn != tls::Alpn::h2;
    if (shaken->alpn != tls::Alpn::h2) {
        Connection connection;
        connection.stream = std::move(stream);
        connection.id = next_id_++;
        connection.origin = attempt.origin;
        connection.edge = attempt.edge;
        connection.opened = loop.now();
        connection.requests = 1;
        connection.tls_version = version;
        connection.tls_resumed = shaken->resumed;
        connection.client_cert_requested = shaken->client_cert_requested;
        connection.client_cert_sent = shaken->client_cert_sent;
        co_return connection;
    }
    const config::Limits& limits = around_.settings.limits;
    h2::Limits h2_limits;
    h2_limits.concurrent_streams = limits.h2_origin_streams;
    h2_limits.header_list_bytes = limits.response_header_bytes;
    h2_limits.stream_window_bytes = limits.h2_stream_window_bytes;
    h2_limits.connection_window_bytes = limits.h2_connection_window_bytes;
    const mux::Timeouts h2_timeouts{.idle = timeouts.pool_idle,
                                    .settings = timeouts.h2_settings,
                                    .ping = timeouts.h2_ping,
                                    .write = timeouts.write};
    shared_.push_back(
        std::unique_ptr<Shared>(new Shared{{loop, std::move(stream), h2::Role::client, h2_limits,
                                            h2_timeouts, around_.scratch, nullptr},
                                           next_id_++,
                                           attempt.origin,
                                           attempt.edge,
                                           loop.now(),
                                           loop.now(),
                                           version,
                                           shaken->resumed,
                                           shaken->client_cert_requested,
                                           shaken->client_cert_sent,
                                           wish.alone}));
    Shared& shared = *shared_.back();
    auto connection = open_stream(shared);
    tasks_.spawn(serve(shared));
    co_return std::move(*connection);
}

net::Task<void> Origin::serve(Shared& shared) {
    co_await shared.connection.run();
    std::erase_if(shared_, [&](const auto& one) { return one.get() == &shared; });
}

/// What was connected under another position is used up and no more.
void Origin::follow_switch() {
    if (http2_switch_ == nullptr || *http2_switch_ == followed_) return;
    followed_ = *http2_switch_;
    pool_.clear();
    for (const auto& shared : shared_) shared->connection.shut_down();
}

bool Origin::http2_allowed() const {
    if (followed_ == Http2Switch::off) return false;
    if (followed_ == Http2Switch::configured && !around_.settings.origin_tls.http2) return false;
    return around_.loop.now() >= http2_from_;
}

void Origin::distrust_http2() {
    http2_from_ = around_.loop.now() + kHttp2Distrust;
    for (const auto& shared : shared_) shared->connection.shut_down();
}

void Origin::give_back(Connection connection, bool reusable) {
    if (!connection.stream) return;
    --open_;
    if (connection.stream_id != 0) {
        for (const auto& shared : shared_) {
            if (shared->id != connection.id) continue;
            shared->idle_since = around_.loop.now();
            if (shared->alone) shared->connection.shut_down();
        }
        return;
    }
    if (reusable) pool_.put(std::move(connection));
}

}  // namespace edgecase::origin
