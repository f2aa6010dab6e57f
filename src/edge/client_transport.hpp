// Owns the client connections that are more than plain HTTP/1.1: TLS handshakes, HTTP/2.
#pragma once

#include <optional>
#include <string>

#include "cause/failure.hpp"
#include "edge/transport.hpp"
#include "edge/worker.hpp"
#include "ip/endpoint.hpp"
#include "net/stream.hpp"
#include "net/task.hpp"

namespace edgecase::edge {

/// What every HTTP/2 connection begins with. Source: RFC 9113 §3.4.
inline constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A client's connection before anything is known of it.
struct Arrival {
    net::Stream stream;
    ip::Endpoint address;
    bool over_limit = false;  // its requests are answered with 503
};

/// TLS on an accepted connection. Null: it failed, the record is written, nothing is left to do.
net::Task<std::optional<Transport>> shake_hands(Worker& worker, Arrival& arrival);

/// Serves an HTTP/2 connection to its end; each stream becomes a session. `first`: bytes that were
/// read already.
net::Task<void> serve_http2(Worker& worker, Arrival arrival, SharedTransport transport,
                            std::string first);

/// A record for a connection that never came to a request; gives its ray.
record::RayId record_lost_client(Worker& worker, const ip::Endpoint& address,
                                 const Transport& transport, const cause::Failure& failure);

}  // namespace edgecase::edge
