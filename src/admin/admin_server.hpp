// Owns the admin listener: sockets, HTTP by Boost.Beast, and the threads that answer.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "admin/routes.hpp"
#include "ip/endpoint.hpp"

namespace edgecase::admin {

/// Where it listens: a TCP address, or a Unix socket when `socket` is not empty.
struct AdminAddress {
    ip::Endpoint endpoint;
    std::string socket;  // path; made 0660, replaced when nobody listens there any more
};

class AdminServer {
  public:
    /// `token`: what must be shown; empty: nothing. Errors: one sentence.
    static std::expected<std::unique_ptr<AdminServer>, std::string> start(
        const AdminAddress& listen, std::string token, Backend backend);
    virtual ~AdminServer() = default;

    /// `127.0.0.1:8521`, or `unix:/run/edgecase/admin.sock`.
    virtual std::string address() const = 0;
};

}  // namespace edgecase::admin
