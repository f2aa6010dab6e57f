// Owns the JSON of what an edge says of itself in a ledger.
#pragma once

#include <nlohmann/json.hpp>

#include "record/source.hpp"

namespace edgecase::record {

nlohmann::ordered_json node_json(const Node& node, base::WallTime now);

}  // namespace edgecase::record
