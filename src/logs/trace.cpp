#include "logs/trace.hpp"

#include <algorithm>

#include "logs/log_time.hpp"
#include "logs/passes.hpp"

namespace edgecase::logs {
namespace {

// What a request may be logged earlier or later than its times say, once clocks are compared.
constexpr int64_t kClockSlackUs = 2'000'000;
// Without a skew the clocks may be apart by what an unattended machine's are.
constexpr int64_t kUnknownSlackUs = 60'000'000;

/// By `[10/Oct/2000:13:55:36 -0700]` in the first lines.
int64_t zone_of(const std::vector<AccessLog>& logs) {
    for (const AccessLog& log : logs) {
        for (const LogFile& file : log.files) {
            for (const std::string_view line : file.sample_lines()) {
                const size_t begin = line.find('[');
                const size_t end = line.find(']', begin == std::string_view::npos ? 0 : begin);
                if (end == std::string_view::npos || begin == std::string_view::npos) continue;
                if (const auto zone = clf_zone(line.substr(begin + 1, end - begin - 1))) {
                    return *zone;
                }
            }
        }
    }
    return 0;
}

void take_hits(std::vector<TracedRay>& rays, std::vector<RayHit> hits) {
    for (RayHit& hit : hits) {
        TracedRay& ray = rays[hit.index];
        ray.outcome = Outcome::matched;
        ray.confidence = 1;
        if (ray.lines.size() < TracedRay::kMaximumLines) ray.lines.push_back(std::move(hit.line));
    }
    for (TracedRay& ray : rays) {
        std::ranges::sort(ray.lines, {}, &OriginLine::time);
    }
}

/// What was not found is missing only if every log of the origin covers the time: any of its
/// servers may have had it.
void judge_absence(TracedRay& ray, const std::vector<LogReport>& reports, const Skew& skew) {
    if (ray.outcome == Outcome::matched || ray.outcome == Outcome::ambiguous) return;
    const int64_t slack =
        (skew.is_known() ? kClockSlackUs : kUnknownSlackUs) + ray.edge.resolution_us;
    const LogTime end = ray.edge.end == kNoTime ? ray.edge.start : ray.edge.end;
    bool covered = ray.edge.start != kNoTime;
    bool any = false;
    for (const LogReport& report : reports) {
        if (report.role != LogReport::Role::origin) continue;
        any = true;
        covered =
            covered && report.coverage.covers(ray.edge.start + skew.at(ray.edge.start) - slack,
                                              end + skew.at(end) + slack);
    }
    ray.outcome = covered && any ? Outcome::never_arrived : Outcome::not_covered;
    if (ray.outcome == Outcome::never_arrived) ray.confidence = skew.is_known() ? 0.95 : 0.7;
}

}  // namespace

std::expected<TraceResult, std::string> trace(const TraceInput& input,
                                              const TraceOptions& options) {
    auto edge = pass_over_edge(input, options);
    if (!edge) return std::unexpected(edge.error());
    auto origin = pass_over_origin(input, options, *edge);
    if (!origin) return std::unexpected(origin.error());
    if (options.ray && origin->hits.empty() && !edge->rays.empty()) {
        // To say that it is missing, the clocks must be compared: with everybody's requests.
        TraceOptions everything = options;
        everything.ray.reset();
        auto again = pass_over_edge(input, everything);
        if (!again) return std::unexpected(again.error());
        again->rays = std::move(edge->rays);
        std::ranges::move(edge->texts, std::back_inserter(again->texts));
        edge = std::move(again);
        origin = pass_over_origin(input, everything, *edge);
        if (!origin) return std::unexpected(origin.error());
    }
    TraceResult result;
    result.requests = edge->requests;
    result.failed = edge->failed;
    result.passed_over = edge->passed_over;
    result.logs = std::move(edge->reports);
    std::vector<size_t> without_rays;
    for (size_t i = 0; i < origin->reports.size(); ++i) {
        if (!origin->reports[i].has_rays && origin->reports[i].lines > 0) without_rays.push_back(i);
    }
    std::ranges::move(origin->reports, std::back_inserter(result.logs));
    result.rays.reserve(edge->rays.size());
    for (EdgeRay& ray : edge->rays) result.rays.emplace_back().edge = std::move(ray);
    edge->rays = {};
    result.texts = std::move(edge->texts);
    result.skew = origin->skew.estimate();
    take_hits(result.rays, std::move(origin->hits));
    if (!without_rays.empty() && !result.rays.empty()) {
        if (auto done = join_by_likeness(input, options, without_rays, result.rays, result.skew);
            !done) {
            return std::unexpected(done.error());
        }
    }
    for (TracedRay& ray : result.rays) judge_absence(ray, result.logs, result.skew);
    auto events = pass_over_events(input, options, result.rays, result.skew, zone_of(input.origin),
                                   result.logs, result.events_passed_over);
    if (!events) return std::unexpected(events.error());
    assign_events(result.rays, std::move(*events), result.skew);
    return result;
}

}  // namespace edgecase::logs
