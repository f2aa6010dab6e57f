#include "logs/trace.hpp"

#include <algorithm>
#include <cstdlib>

#include "logs/entry_stream.hpp"
#include "logs/passes.hpp"

namespace edgecase::logs {
namespace {

// What a request may be logged earlier or later than its times say, once clocks are compared.
constexpr int64_t kClockSlackUs = 2'000'000;
// Without a skew the clocks may be apart by what an unattended machine's are.
constexpr int64_t kUnknownSlackUs = 60'000'000;

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

/// What is entered twice under one Ray ID has the same lines.
void share_hits(std::vector<TracedRay>& rays) {
    RayTable table(rays.size());
    for (uint32_t i = 0; i < rays.size(); ++i) table.add(identity_of(rays[i].edge), i);
    for (uint32_t i = 0; i < rays.size(); ++i) {
        const uint32_t first = table.find(identity_of(rays[i].edge));
        if (first == i || first == RayTable::kAbsent) continue;
        rays[i].outcome = rays[first].outcome;
        rays[i].confidence = rays[first].confidence;
        rays[i].lines = rays[first].lines;
    }
}

/// The logs that may have a ray's line without its Ray ID.
std::vector<size_t> logs_to_join(const OriginPass& origin, const std::vector<TracedRay>& rays) {
    const auto is_open = [](const TracedRay& ray) { return ray.outcome != Outcome::matched; };
    std::vector<size_t> logs;
    if (std::ranges::none_of(rays, is_open)) return logs;
    const bool all = std::ranges::any_of(rays, [](const auto& ray) { return ray.edge.ray == 0; });
    for (size_t i = 0; i < origin.reports.size(); ++i) {
        const LogReport& report = origin.reports[i];
        if (report.lines_without_ray > 0 || (all && report.lines > 0)) logs.push_back(i);
    }
    return logs;
}

bool overlaps(const std::vector<FileTimes::Piece>& pieces, LogTime from, LogTime to) {
    return std::ranges::any_of(pieces,
                               [&](const auto& one) { return one.from <= to && one.to >= from; });
}

/// How sure it is that a line would have been read: a log without Ray IDs may have it among those
/// that could not be. 0: not at all.
double sureness_of(const LogReport& report) {
    constexpr double kTooMany = 0.1;
    if (report.unread.lines == 0 || report.lines_without_ray == 0) return 1;
    const auto unread = static_cast<double>(report.unread.lines);
    const double share = unread / (unread + static_cast<double>(report.lines));
    return share > kTooMany ? 0 : 1 - share;
}

/// What was not found is missing only if every log of the origin covers the time: any of its
/// servers may have had it.
void judge_absence(TracedRay& ray, const std::vector<LogReport>& reports, const Skew& skew,
                   const std::vector<FileTimes::Piece>& unsure) {
    if (ray.outcome == Outcome::matched || ray.outcome == Outcome::ambiguous) return;
    const int64_t slack =
        (skew.is_known() ? kClockSlackUs : kUnknownSlackUs) + ray.edge.resolution_us;
    const LogTime end = ray.edge.end == kNoTime ? ray.edge.start : ray.edge.end;
    bool covered =
        ray.edge.start != kNoTime && !overlaps(unsure, ray.edge.start - slack, end + slack);
    double sureness = skew.is_known() ? 0.95 : 0.7;
    bool any = false;
    for (const LogReport& report : reports) {
        if (report.role != LogReport::Role::origin) continue;
        any = true;
        covered =
            covered && report.coverage.covers(ray.edge.start + skew.at(ray.edge.start) - slack,
                                              end + skew.at(end) + slack);
        sureness *= sureness_of(report);
    }
    covered = covered && sureness > 0;
    ray.outcome = covered && any ? Outcome::never_arrived : Outcome::not_covered;
    if (ray.outcome == Outcome::never_arrived) ray.confidence = sureness;
}

/// A difference of whole half hours is a zone, not a clock.
void hint_at_zone(const Skew& skew, std::vector<LogReport>& reports) {
    constexpr int64_t kHalfHourUs = 1'800'000'000;
    constexpr int64_t kExactUs = 1'000'000;
    if (!skew.is_known()) return;
    const int64_t apart = std::abs(skew.typical_us());
    const int64_t halves = (apart + kHalfHourUs / 2) / kHalfHourUs;
    if (halves == 0 || std::abs(apart - halves * kHalfHourUs) > kExactUs) return;
    for (LogReport& report : reports) {
        if (report.role != LogReport::Role::origin) continue;
        report.damage.push_back(report.name + ": its clock is exactly " +
                                std::to_string(halves / 2) + (halves % 2 == 1 ? ".5" : "") + " h " +
                                (skew.typical_us() < 0 ? "behind" : "ahead") +
                                ": a time zone? See --zone");
        return;
    }
}

/// A log that says nothing is the wrong file or the wrong format, not a silent server.
/// Errors: one sentence.
std::expected<void, std::string> check_logs(std::vector<LogReport>& reports, bool for_one) {
    for (LogReport& report : reports) {
        if (report.role == LogReport::Role::events || report.lines > 0) continue;
        const bool all_read = !(for_one && report.role == LogReport::Role::edge);
        if (report.unread.lines > 0 && all_read) {
            return std::unexpected(report.name + ": none of its " +
                                   std::to_string(report.unread.lines) +
                                   " lines could be read as " + report.format);
        }
        if (all_read) report.damage.push_back(report.name + ": holds no request");
    }
    return {};
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
    result.duplicates = edge->duplicates;
    result.logs = std::move(edge->reports);
    result.rays.reserve(edge->rays.size());
    for (const EdgeRay& ray : edge->rays) result.rays.emplace_back().edge = ray;
    edge->rays = {};
    result.texts = std::move(edge->texts);
    result.skew = origin->skew.estimate();
    take_hits(result.rays, std::move(origin->hits));
    std::vector<FileTimes::Piece> unsure;
    if (const auto logs = logs_to_join(*origin, result.rays); !logs.empty()) {
        auto joined = join_by_likeness(input, options, logs, result.rays, result.skew);
        if (!joined) return std::unexpected(joined.error());
        unsure = std::move(*joined);
    }
    share_hits(result.rays);
    std::ranges::move(origin->reports, std::back_inserter(result.logs));
    if (auto checked = check_logs(result.logs, options.ray.has_value()); !checked) {
        return std::unexpected(checked.error());
    }
    hint_at_zone(result.skew, result.logs);
    for (TracedRay& ray : result.rays) judge_absence(ray, result.logs, result.skew, unsure);
    auto events = pass_over_events(input, options, result.rays, result.skew, origin->zones,
                                   result.logs, result.events_passed_over);
    if (!events) return std::unexpected(events.error());
    assign_events(result.rays, std::move(*events), result.skew);
    return result;
}

}  // namespace edgecase::logs
