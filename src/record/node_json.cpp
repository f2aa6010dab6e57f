#include "record/node_json.hpp"

#include "record/case_json.hpp"
#include "record/json_text.hpp"

namespace edgecase::record {

nlohmann::ordered_json node_json(const Node& node, base::WallTime now) {
    return {{"node", json_text(node.name)},
            {"colo", json_text(node.colo)},
            {"version", json_text(node.version)},
            {"node_id", node.node_id},
            {"started", rfc3339(node.started)},
            {"seen", rfc3339(node.seen)},
            {"silent", node.is_silent(now)},
            {"recorded", node.recorded},
            {"shipped", node.shipped},
            {"waiting", node.waiting},
            {"lost", node.lost}};
}

}  // namespace edgecase::record
