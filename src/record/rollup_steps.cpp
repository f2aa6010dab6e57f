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

RollupSpan rollup_span(const RollupQuery& query, std::chrono::seconds length) {
    const auto seconds = [](base::WallTime time) {
        return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch();
    };
    RollupSpan span{.since = seconds(query.since), .until = seconds(query.until)};
    if (query.whole_steps) {
        const std::chrono::seconds beyond = span.until % length;
        span.since -= beyond;
        span.until -= beyond;
    }
    span.since -= span.since % length;
    return span;
}

}  // namespace edgecase::record
