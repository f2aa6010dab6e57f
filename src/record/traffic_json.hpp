// Owns the traffic as JSON: what `traffic --json` prints and the admin API answers.
#pragma once

#include <nlohmann/json.hpp>

#include "record/traffic.hpp"

namespace edgecase::record {

/// `before`: of the equally long time before, to compare; null: not known.
nlohmann::ordered_json traffic_json(const Traffic& traffic, const TrafficTotals* before);

}  // namespace edgecase::record
