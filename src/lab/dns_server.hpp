// Owns the lab's name server: each name under lab.test fails in its own way.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ip/endpoint.hpp"
#include "lab/socket.hpp"

namespace edgecase::lab {

/// The reply to one query, as bytes. `ok.lab.test` has the address `lab`. Errors: nullopt when the
/// lab stays silent, by design or because the query is no query.
std::optional<std::string> dns_reply(std::string_view query, const ip::Address& lab);

/// Answers queries on `socket` (UDP) until `stop_descriptor` is readable.
void serve_dns(const Socket& socket, int stop_descriptor, const ip::Address& lab);

}  // namespace edgecase::lab
