// Owns the course of one connection: what its port does, and which scenario each request asks for.
#pragma once

#include "lab/connection.hpp"
#include "lab/ports.hpp"

namespace edgecase::lab {

/// The port a connection came in on.
struct Entrance {
    Target target = Target::main;
    const Scenario* scenario = nullptr;  // of Target::own
    ssl_ctx_st* context = nullptr;       // null without TLS
};

/// Serves until either side ends.
void serve_connection(Connection& connection, const Entrance& entrance, const Ports& ports);

}  // namespace edgecase::lab
