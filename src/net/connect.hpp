// Owns the making of TCP connections, and the evidence when one cannot be made.
#pragma once

#include <expected>
#include <optional>

#include "base/deadline.hpp"
#include "ip/endpoint.hpp"
#include "net/error.hpp"
#include "net/loop.hpp"
#include "net/stream.hpp"
#include "net/task.hpp"
#include "net/tcp_facts.hpp"

namespace edgecase::net {

struct ConnectError {
    Error error;
    bool at_once = false;  // connect() itself failed: the answer is this machine's own
    std::optional<IcmpError> icmp{};
    std::optional<TcpFacts> facts{};
    base::Duration elapsed{};
    ip::Endpoint local{};
    bool offender_is_local = false;  // the ICMP message came from this machine
};

struct ConnectOptions {
    std::optional<ip::Address> source;  // bind to it first
};

/// A connected stream with TCP_NODELAY. Errors: refused, reset, deadline, timed_out, *_unreachable,
/// prohibited, address_unavailable, too_many_descriptors, no_buffers, invalid, other.
Task<std::expected<Stream, ConnectError>> connect(Loop& loop, ip::Endpoint to,
                                                  ConnectOptions options, base::Deadline deadline);

}  // namespace edgecase::net
