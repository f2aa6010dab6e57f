// Owns the findings as JSON: what `findings --json` prints and the admin API answers.
#pragma once

#include <nlohmann/json.hpp>
#include <span>

#include "diagnose/findings.hpp"

namespace edgecase::diagnose {

/// An array. Redacted.
nlohmann::ordered_json findings_json(std::span<const TrafficFinding> findings);

}  // namespace edgecase::diagnose
