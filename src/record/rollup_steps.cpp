#include "record/rollup_steps.hpp"

namespace edgecase::record {

const RollupStep& rollup_step(const RollupQuery& query, base::WallTime now) {
    for (const RollupStep& step : kRollupSteps) {
        const bool kept = query.since >= now - step.kept;
        const auto steps = (query.until - query.since) / step.length;
        if (kept && steps <= static_cast<int64_t>(query.maximum_steps)) return step;
    }
    return kRollupSteps.back();
}

}  // namespace edgecase::record
