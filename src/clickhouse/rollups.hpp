// Owns the reading of rollups.
#pragma once

#include <chrono>
#include <expected>
#include <functional>
#include <string>

#include "clickhouse/reading.hpp"
#include "record/source.hpp"

namespace edgecase::clickhouse {

/// As record::Source::visit_rollups(). `node`: an edge to which `query` is confined besides; empty:
/// none.
std::expected<std::chrono::seconds, std::string> visit_rollups(
    Reading& reading, const record::RollupQuery& query, const std::string& node,
    const std::function<void(const record::Rollup&)>& visit);

}  // namespace edgecase::clickhouse
