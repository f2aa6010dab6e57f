#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/escape.hpp"
#include "base/secrets.hpp"
#include "cli/trace_report.hpp"
#include "record/ray_id.hpp"

namespace edgecase::cli {
namespace {

using nlohmann::ordered_json;

ordered_json or_null(std::string_view text) {
    return text.empty() ? ordered_json(nullptr) : ordered_json(std::string(text));
}

double rounded(double value) {
    return std::round(value * 1000) / 1000;
}

std::string_view to_string(logs::LogReport::Role role) {
    switch (role) {
        case logs::LogReport::Role::edge:
            return "edge";
        case logs::LogReport::Role::origin:
            return "origin";
        case logs::LogReport::Role::events:
            return "events";
    }
    return "";
}

std::string_view to_string(logs::EventKind kind) {
    using logs::EventKind;
    switch (kind) {
        case EventKind::other:
            return "other";
        case EventKind::worker_exited:
            return "worker_exited";
        case EventKind::out_of_memory:
            return "out_of_memory";
        case EventKind::segfault:
            return "segfault";
        case EventKind::restarted:
            return "restarted";
        case EventKind::upstream_closed:
            return "upstream_closed";
        case EventKind::upstream_timeout:
            return "upstream_timeout";
        case EventKind::upstream_refused:
            return "upstream_refused";
        case EventKind::upstream_bad:
            return "upstream_bad";
        case EventKind::script_timeout:
            return "script_timeout";
        case EventKind::script_failed:
            return "script_failed";
        case EventKind::workers_exhausted:
            return "workers_exhausted";
        case EventKind::client_closed:
            return "client_closed";
        case EventKind::bad_request:
            return "bad_request";
        case EventKind::tls_failed:
            return "tls_failed";
    }
    return "";
}

ordered_json coverage_json(const TraceReport& report, const logs::LogReport& log) {
    ordered_json gaps = ordered_json::array();
    const auto& spans = log.coverage.spans();
    for (size_t i = 1; i < spans.size(); ++i) {
        gaps.push_back({{"from", time_text(spans[i - 1].to)}, {"to", time_text(spans[i].from)}});
    }
    ordered_json examples = ordered_json::array();
    for (const std::string& line : log.unread.examples) {
        examples.push_back(shown_text(report, line));
    }
    const bool empty = log.coverage.empty();
    return {{"role", to_string(log.role)},
            {"log", log.name},
            {"format", log.format},
            {"files", log.files},
            {"lines", log.lines},
            {"from", empty ? ordered_json() : ordered_json(time_text(log.coverage.from()))},
            {"to", empty ? ordered_json() : ordered_json(time_text(log.coverage.to()))},
            {"gaps", gaps},
            {"has_rays", log.has_rays},
            {"unread_lines", log.unread.lines},
            {"unread_examples", examples},
            {"damage", log.damage}};
}

ordered_json line_json(const TraceReport& report, const logs::OriginLine& line) {
    const auto number = [](int64_t value) {
        return value < 0 ? ordered_json() : ordered_json(value);
    };
    return {{"time", time_text(line.time)},
            {"status", line.status},
            {"body_bytes", number(line.body_bytes)},
            {"duration_ms", line.duration_us < 0
                                ? ordered_json()
                                : ordered_json(static_cast<double>(line.duration_us) / 1000)},
            {"reason", or_null(line.reason)},
            {"text", shown_text(report, line.text)}};
}

ordered_json ray_json(const TraceReport& report, size_t index) {
    const logs::TracedRay& ray = report.result.rays[index];
    const diagnose::Reading& reading = report.readings[index];
    ordered_json lines = ordered_json::array();
    for (const logs::OriginLine& line : ray.lines) lines.push_back(line_json(report, line));
    ordered_json nearby = ordered_json::array();
    for (const auto& near : ray.nearby) {
        const logs::Event& event = *near;
        nearby.push_back({{"time", time_text(event.time)},
                          {"system", event.system},
                          {"kind", to_string(event.kind)},
                          {"message", shown_text(report, event.message)}});
    }
    const bool named = reading.cause != cause::Cause::none;
    return {{"ray_id", record::RayId(ray.edge.ray).to_string()},
            {"time", time_text(ray.edge.start)},
            {"method", ray.edge.method},
            {"host", ray.edge.host},
            {"uri", shown_text(report, ray.edge.uri)},
            {"edge_status", ray.edge.edge_status},
            {"origin_status", ray.edge.origin_status},
            {"outcome", diagnose::outcome_of(ray, reading)},
            {"confidence", rounded(ray.confidence)},
            {"cause", named ? ordered_json(cause::row(reading.cause).name) : ordered_json()},
            {"cause_confidence", rounded(reading.confidence)},
            {"meaning", reading.pair},
            {"logs_say", or_null(shown_text(report, reading.logs))},
            {"fix", or_null(reading.fix)},
            {"origin", or_null(ray.edge.origin)},
            {"edge_address", or_null(ray.edge.edge_address)},
            {"origin_line", ray.lines.empty() || ray.outcome != logs::Outcome::matched
                                ? ordered_json()
                                : ordered_json(lines.back()["text"])},
            {"origin_lines", lines},
            {"nearby", nearby}};
}

ordered_json tallies_json(const TraceReport& report, const std::vector<diagnose::Tally>& tallies) {
    ordered_json list = ordered_json::array();
    for (const diagnose::Tally& one : tallies) {
        list.push_back({{"name", shown_text(report, one.name)}, {"count", one.count}});
    }
    return list;
}

ordered_json minutes_json(const std::vector<diagnose::Minute>& minutes) {
    ordered_json list = ordered_json::array();
    for (const diagnose::Minute& one : minutes) {
        list.push_back({{"time", time_text(one.at)}, {"count", one.count}});
    }
    return list;
}

ordered_json cause_json(const TraceReport& report, const diagnose::CauseSum& sum) {
    const bool named = sum.cause != cause::Cause::none;
    ordered_json explanations = ordered_json::array();
    for (const diagnose::Explanation& one : sum.explanations) {
        explanations.push_back({{"count", one.count},
                                {"logs_say", or_null(shown_text(report, one.logs))},
                                {"fix", or_null(one.fix)},
                                {"example_ray", one.example}});
    }
    return {{"cause", named ? ordered_json(cause::row(sum.cause).name) : ordered_json()},
            {"count", sum.count},
            {"share", rounded(static_cast<double>(sum.count) /
                              static_cast<double>(std::max<uint64_t>(1, report.summary.failed)))},
            {"confidence", rounded(sum.confidence)},
            {"first", time_text(sum.first)},
            {"last", time_text(sum.last)},
            {"reason", named ? ordered_json(cause::row(sum.cause).reason) : ordered_json()},
            {"logs_say", or_null(shown_text(report, sum.explanations.front().logs))},
            {"fix", or_null(sum.explanations.front().fix)},
            {"example_ray", sum.explanations.front().example},
            {"explanations", explanations},
            {"paths", tallies_json(report, sum.paths)},
            {"origins", tallies_json(report, sum.origins)},
            {"edge_addresses", tallies_json(report, sum.edges)},
            {"minutes", minutes_json(sum.minutes)}};
}

}  // namespace

std::string time_text(logs::LogTime time) {
    if (time == logs::kNoTime) return {};
    using namespace std::chrono;
    const sys_time<microseconds> at{microseconds(time)};
    const auto day = floor<days>(at);
    const year_month_day date(day);
    const auto clock = duration_cast<milliseconds>(at - day).count();
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       clock / 3'600'000, clock / 60'000 % 60, clock / 1000 % 60, clock % 1000);
}

std::string shown_text(const TraceReport& report, std::string_view text) {
    if (report.show_secrets) return std::string(text);
    return base::without_secrets(text);
}

namespace {

/// All but the rays.
ordered_json head_json(const TraceReport& report) {
    const logs::TraceResult& result = report.result;
    const diagnose::Summary& summary = report.summary;
    ordered_json coverage = ordered_json::array();
    for (const logs::LogReport& log : result.logs) coverage.push_back(coverage_json(report, log));
    ordered_json causes = ordered_json::array();
    for (const diagnose::CauseSum& sum : summary.causes) causes.push_back(cause_json(report, sum));
    ordered_json outcomes = ordered_json::object();
    for (const diagnose::Tally& one : summary.outcomes) outcomes[one.name] = one.count;
    const logs::Skew& skew = result.skew;
    const auto ms = [](int64_t us) { return static_cast<double>(us) / 1000; };
    return {
        {"clock_skew_ms", skew.is_known() ? ordered_json(ms(skew.typical_us())) : ordered_json()},
        {"clock_skew",
         {{"pairs", skew.pairs()},
          {"spread_ms", ms(skew.spread_us())},
          {"drift_ppm", rounded(skew.drift_ppm())}}},
        {"coverage", coverage},
        {"requests", result.requests},
        {"failures", result.failed},
        {"failures_passed_over", result.passed_over},
        {"events_passed_over", result.events_passed_over},
        {"explained", summary.explained},
        {"unexplained", summary.failed - summary.explained},
        {"outcomes", outcomes},
        {"causes", causes},
        {"guide", tallies_json(report, summary.guide)},
        {"minutes", minutes_json(summary.minutes)},
        {"bursts", minutes_json(summary.bursts)}};
}

std::string dumped(const ordered_json& json, int indent) {
    return json.dump(indent, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace

void write_trace_json(const TraceReport& report,
                      const std::function<void(std::string_view)>& write) {
    constexpr size_t kPartBytes = 256 * 1024;
    std::string part = dumped(head_json(report), 2);
    part.resize(part.size() - std::string_view("\n}").size());
    part += ",\n  \"rays\": [";
    for (size_t i = 0; i < report.result.rays.size(); ++i) {
        part += (i == 0 ? "\n    " : ",\n    ") + dumped(ray_json(report, i), -1);
        if (part.size() < kPartBytes) continue;
        write(part);
        part.clear();
    }
    write(part + (report.result.rays.empty() ? "]\n}\n" : "\n  ]\n}\n"));
}

}  // namespace edgecase::cli
