// Owns the steps of time in which rollups are kept: fine ones for a short time, coarse ones for
// long.
#pragma once

#include <array>
#include <chrono>

#include "record/source.hpp"

namespace edgecase::record {

struct RollupStep {
    std::chrono::seconds length;
    std::chrono::hours kept;
};
constexpr std::array<RollupStep, 3> kRollupSteps{
    {{std::chrono::seconds(60), std::chrono::hours(48)},
     {std::chrono::seconds(600), std::chrono::hours(24 * 14)},
     {std::chrono::seconds(3600), std::chrono::hours(24 * 400)}}};

/// The shortest step that is still kept for the query's beginning and does not give more steps than
/// it wants; else the longest.
const RollupStep& rollup_step(const RollupQuery& query, base::WallTime now);

/// Steps that begin in [since, until), since 1970.
struct RollupSpan {
    std::chrono::seconds since;
    std::chrono::seconds until;
};
/// What the query wants in steps of that length; the one in which `since` lies is in it.
RollupSpan rollup_span(const RollupQuery& query, std::chrono::seconds length);

}  // namespace edgecase::record
