// Owns the listing of scenarios, for people (text) or for programs (JSON).
#pragma once

#include <string>

#include "lab/ports.hpp"

namespace edgecase::lab {

/// One line per scenario. With the ports of a running lab, they come first.
std::string list_text(const Ports* ports = nullptr);

/// An array of rows: scenario, cause, status, aborts_client, description, target, method,
/// request_body_bytes, request_headers, path, warmup_path, warmup_in_flight, scheme, host, port,
/// ca, origin_name, resolver, setup, setup_side, teardown, edge_config. The edge's origin is
/// SCHEME://HOST:PORT; with https it must trust the file `ca`, and send `origin_name` as SNI if
/// that is not empty. Without a running lab `port` is 0, `ca` and `resolver` are empty, and `host`
/// is only there when it is part of the scenario.
std::string list_json(const Ports* ports = nullptr);

}  // namespace edgecase::lab
