#include "origin/origin.hpp"

#include <algorithm>

#include "net/connect.hpp"
#include "origin/origin_failure.hpp"

namespace edgecase::origin {
namespace {

// Source: Cloudflare, TCP connections to the origin: a probe after the idle time, the next at half
// of it, two unanswered.
constexpr int kKeepAliveProbes = 2;

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

Origin::Origin(net::Loop& loop, net::Resolver& resolver, const config::Settings& settings,
               http::OriginUrl url)
    : loop_(loop),
      resolver_(resolver),
      settings_(settings),
      url_(std::move(url)),
      url_text_(url_.to_string()),
      authority_(url_.authority()),
      pool_(loop, settings.timeouts.pool_idle, settings.limits.pool_connections),
      maximum_open_((settings.limits.origin_connections + std::max(1u, settings.workers) - 1) /
                    std::max(1u, settings.workers)) {}

std::optional<Connection> Origin::take_idle(Pool::Look look) {
    auto connection = pool_.take(look);
    if (!connection) return std::nullopt;
    ++connection->requests;
    connection->bytes_before = connection->stream.bytes_written();
    ++open_;
    return connection;
}

net::Task<std::expected<Connection, cause::Failure>> Origin::connect(record::Attempt& attempt,
                                                                     size_t skip) {
    if (open_ >= maximum_open_) {
        co_return std::unexpected(connection_limit(open_, maximum_open_));
    }
    const base::SteadyTime start = loop_.clock().now();
    const auto addresses =
        co_await resolver_.resolve(url_.host, loop_.after(settings_.timeouts.dns));
    const base::SteadyTime resolved = loop_.clock().now();
    attempt.dns_us = base::microseconds(resolved - start);
    if (!addresses) {
        co_return std::unexpected(dns_failure(addresses.error(), url_.host, resolved - start));
    }
    address_count_ = addresses->size();
    const ip::Address address = (*addresses)[skip % addresses->size()];
    attempt.origin = {address, url_.port};
    if (address.is_unspecified() || address.is_multicast()) {
        co_return std::unexpected(address_prohibited(url_.host, address));
    }
    Opening opening(open_);
    auto stream =
        co_await net::connect(loop_, attempt.origin, {}, loop_.after(settings_.timeouts.connect));
    attempt.connect_us = base::microseconds(loop_.clock().now() - resolved);
    if (!stream) {
        attempt.edge = stream.error().local;
        co_return std::unexpected(
            connect_failure(stream.error(), attempt.origin, settings_.timeouts.connect));
    }
    Connection connection;
    connection.stream = std::move(*stream);
    using std::chrono::seconds;
    const auto wanted = std::chrono::duration_cast<seconds>(settings_.timeouts.keep_alive);
    const seconds idle = std::max(seconds(1), wanted);
    connection.stream.set_keep_alive(idle, std::max(seconds(1), idle / 2), kKeepAliveProbes);
    connection.id = next_id_++;
    connection.origin = attempt.origin;
    connection.edge = connection.stream.local();
    connection.opened = loop_.now();
    connection.requests = 1;
    opening.keep();
    co_return connection;
}

void Origin::give_back(Connection connection, bool reusable) {
    if (!connection.stream) return;
    --open_;
    if (reusable) pool_.put(std::move(connection));
}

}  // namespace edgecase::origin
