#include "origin/origin.hpp"

#include <algorithm>

#include "net/connect.hpp"
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
    explicit Opening(size_t& open) : open_(open) { ++open_; }
    Opening(const Opening&) = delete;
    Opening& operator=(const Opening&) = delete;
    ~Opening() {
        if (!kept_) --open_;
    }
    void keep() { kept_ = true; }

  private:
    size_t& open_;
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

Origin::Origin(const Surroundings& surroundings, http::OriginUrl url)
    : around_(surroundings),
      url_(std::move(url)),
      url_text_(url_.to_string()),
      authority_(url_.authority()),
      pool_(around_.loop, around_.settings.timeouts.pool_idle,
            around_.settings.limits.pool_connections),
      maximum_open_((around_.settings.limits.origin_connections +
                     std::max(1u, around_.settings.workers) - 1) /
                    std::max(1u, around_.settings.workers)) {
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
    if (!wish.http1_only && http2_allowed()) {
        for (const auto& shared : shared_) {
            if (shared->alone) continue;
            if (auto connection = open_stream(*shared)) return connection;
        }
    }
    auto connection = pool_.take(wish.look);
    if (!connection) return std::nullopt;
    ++connection->requests;
    connection->bytes_before = connection->stream.bytes_written();
    ++open_;
    return connection;
}

std::optional<Connection> Origin::open_stream(Shared& shared) {
    const bool was_idle = shared.connection.open_streams() == 0;
    auto stream = shared.connection.open();
    if (!stream) return std::nullopt;
    Connection connection;
    connection.stream_id = mux::stream_id(*stream);
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

net::Task<std::expected<Connection, cause::Failure>> Origin::connect(record::Attempt& attempt,
                                                                     Wish wish) {
    if (open_ >= maximum_open_) {
        co_return std::unexpected(connection_limit(open_, maximum_open_));
    }
    net::Loop& loop = around_.loop;
    const config::Timeouts& timeouts = around_.settings.timeouts;
    const base::SteadyTime start = loop.clock().now();
    const auto addresses = co_await around_.resolver.resolve(
        url_.host, loop.after(timeouts.dns).earlier(wish.deadline));
    const base::SteadyTime resolved = loop.clock().now();
    attempt.dns_us = base::microseconds(resolved - start);
    if (!addresses) {
        co_return std::unexpected(dns_failure(addresses.error(), url_.host, resolved - start));
    }
    address_count_ = addresses->size();
    const ip::Address address = (*addresses)[wish.skip % addresses->size()];
    attempt.origin = {address, port_};
    if (address.is_unspecified() || address.is_multicast()) {
        co_return std::unexpected(address_prohibited(url_.host, address));
    }
    Opening opening(open_);
    auto stream = co_await dial(attempt, loop.after(timeouts.connect).earlier(wish.deadline));
    attempt.connect_us = base::microseconds(loop.clock().now() - resolved);
    if (!stream) co_return std::unexpected(stream.error());
    using std::chrono::seconds;
    const auto wanted = std::chrono::duration_cast<seconds>(timeouts.keep_alive);
    const seconds idle = std::max(seconds(1), wanted);
    stream->set_keep_alive(idle, std::max(seconds(1), idle / 2), kKeepAliveProbes);
    if (speaks_tls_) {
        auto secured = co_await secure(std::move(*stream), attempt, wish);
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

/// In turn among the egress addresses of the target's family. Null: the system chooses.
std::optional<ip::Address> Origin::next_source(const ip::Address& to) {
    const std::vector<ip::Address>& egress = around_.settings.egress;
    for (size_t seen = 0; seen < egress.size(); ++seen) {
        const ip::Address& address = egress[next_egress_++ % egress.size()];
        if (address.is_v4() == to.is_v4()) return address;
    }
    return std::nullopt;
}

/// Egress addresses that this machine does not have are passed over, until none is left.
net::Task<std::expected<net::Stream, cause::Failure>> Origin::dial(record::Attempt& attempt,
                                                                   base::Deadline deadline) {
    std::vector<std::string> missing;
    for (;;) {
        const auto source = next_source(attempt.origin.address);
        if (source && std::ranges::find(missing, source->to_string()) != missing.end()) {
            co_return std::unexpected(egress_unavailable(attempt.origin, std::move(missing)));
        }
        auto stream = co_await net::connect(around_.loop, attempt.origin, {source}, deadline);
        if (stream) {
            attempt.edge = stream->local();
            co_return std::move(*stream);
        }
        const net::ConnectError& error = stream.error();
        attempt.edge = error.local;
        if (source && error.local.port == 0) attempt.edge = {*source, 0};
        if (!source || !lacks_source(error)) {
            co_return std::unexpected(
                connect_failure(error, attempt.origin, around_.settings.timeouts.connect));
        }
        missing.push_back(source->to_string());
    }
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

bool Origin::http2_allowed() const {
    return around_.settings.origin_tls.http2 && around_.loop.now() >= http2_from_;
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
