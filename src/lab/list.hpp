// Owns the listing of scenarios, for people (text) or for programs (JSON).
#pragma once

#include <string>

#include "lab/ports.hpp"

namespace edgecase::lab {

/// One line per scenario. With the ports of a running lab, they come first.
std::string list_text(const Ports* ports = nullptr);

/// An array of rows: scenario, cause, status, aborts_client, description, target, method,
/// request_body_bytes, request_headers, path, warmup_path, warmup_in_flight, host, port, resolver,
/// setup, setup_side, teardown, edge_config. Without a running lab `port` is 0 and `resolver`
/// empty; `host` is then only there when it is part of the scenario.
std::string list_json(const Ports* ports = nullptr);

}  // namespace edgecase::lab
