// Owns the reading of requests from one connection, and which scenario each one asks for.
#pragma once

#include "lab/connection.hpp"
#include "lab/ports.hpp"

namespace edgecase::lab {

/// Serves until either side ends. `keep_alive`: more than one request per connection.
void serve_connection(Connection& connection, bool keep_alive, const Ports& ports);

}  // namespace edgecase::lab
