#include <fmt/format.h>

#include <algorithm>

#include "cli/console.hpp"
#include "cli/terminal_text.hpp"
#include "cli/trace_report.hpp"
#include "record/ray_id.hpp"

namespace edgecase::cli {
namespace {

using logs::LogReport;
using logs::Outcome;

constexpr size_t kRaysShown = 20;
constexpr size_t kUriColumns = 48;
constexpr size_t kBars = 48;

std::string seconds_text(int64_t us) {
    return fmt::format("{:.3f} s", static_cast<double>(us) / 1e6);
}

std::string span_text(const logs::Coverage& coverage) {
    if (coverage.empty()) return "no times";
    std::string text = time_text(coverage.from()) + " to " + time_text(coverage.to());
    const size_t gaps = coverage.spans().size() - 1;
    if (gaps > 0) text += fmt::format(", {} gap{}", gaps, gaps == 1 ? "" : "s");
    return text;
}

std::string logs_text(const TraceReport& report, const Painter& paint) {
    std::string text;
    Table table({"log", "format", "lines", "covers"});
    for (const LogReport& log : report.result.logs) {
        table.add(
            {fitted(log.name, 40), log.format, std::to_string(log.lines), span_text(log.coverage)});
    }
    text += table.text(paint, 2);
    for (const LogReport& log : report.result.logs) {
        for (const std::string& damage : log.damage) {
            text += "  " + paint(Colour::yellow, printable(damage)) + "\n";
        }
        if (log.unread.lines == 0) continue;
        text += "  " +
                paint(Colour::yellow,
                      fmt::format("{}: {} line{} not read, such as", printable(log.name),
                                  log.unread.lines, log.unread.lines == 1 ? "" : "s")) +
                "\n";
        for (const std::string& line : log.unread.examples) {
            text += "    " + printable(shown_text(report, line)) + "\n";
        }
    }
    const logs::Skew& skew = report.result.skew;
    if (skew.is_known()) {
        text += fmt::format("  The origin's clock is {} {} the edge's ({} requests compared",
                            seconds_text(std::abs(skew.typical_us())),
                            skew.typical_us() >= 0 ? "ahead of" : "behind", skew.pairs());
        if (std::abs(skew.drift_ppm()) >= 1) {
            text += fmt::format(", drifting {:.0f} ppm", skew.drift_ppm());
        }
        text += ").\n";
    } else if (std::ranges::any_of(report.result.logs, [](const LogReport& log) {
                   return log.role == LogReport::Role::origin;
               })) {
        text += "  The clocks could not be compared: no request is certain to be in both logs.\n";
    }
    return text;
}

std::string cause_text(cause::Cause cause) {
    return cause == cause::Cause::none ? "(unexplained)" : std::string(cause::row(cause).name);
}

/// `first (12), second (3), ...`
std::string tallies_text(const TraceReport& report, const std::vector<diagnose::Tally>& tallies) {
    std::string text;
    for (const diagnose::Tally& one : tallies) {
        if (!text.empty()) text += ", ";
        text +=
            fmt::format("{} ({})", fitted(shown_text(report, one.name), kUriColumns), one.count);
    }
    return text;
}

/// Failures over time; there is at least one minute.
std::string minutes_text(const std::vector<diagnose::Minute>& minutes) {
    const diagnose::Bars bars = diagnose::bars_of(minutes, kBars);
    const diagnose::Minute& most = *std::ranges::max_element(minutes, {}, &diagnose::Minute::count);
    return fmt::format("{}  {} min a column, at most {} in a minute ({})", sparkline(bars.counts),
                       bars.minutes, most.count, time_text(most.at));
}

/// What the logs say of a cause's failures, with how many of them, and the fix.
std::string explanations_text(const TraceReport& report, const diagnose::CauseSum& sum) {
    std::string text;
    for (const diagnose::Explanation& one : sum.explanations) {
        std::string logs =
            one.logs.empty() ? "they add nothing" : printable(shown_text(report, one.logs));
        if (one.count != sum.count) logs = fmt::format("{} of {}: {}", one.count, sum.count, logs);
        text += "  logs  " + wrapped(logs, 8) + "\n";
        if (!one.fix.empty()) text += "  fix   " + wrapped(one.fix, 8) + "\n";
        text += "  e.g.  edgecase trace --ray " + one.example + " ...\n";
    }
    if (sum.explained_otherwise > 0) {
        text += fmt::format("  logs  {} of {}: otherwise; --json has each\n",
                            sum.explained_otherwise, sum.count);
    }
    return text;
}

/// `11 matched, 2 ambiguous`: of those traced, the outcomes that there are.
std::string outcomes_text(const std::vector<diagnose::Tally>& outcomes) {
    std::string text;
    for (const diagnose::Tally& one : outcomes) {
        if (one.count == 0) continue;
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", one.count, one.name);
    }
    return text;
}

std::string summary_text(const TraceReport& report, const Painter& paint) {
    const diagnose::Summary& summary = report.summary;
    const auto failed = static_cast<double>(std::max<uint64_t>(1, summary.failed));
    std::string text = fmt::format("\n{} requests, {} failed, {} explained, {} unexplained\n",
                                   report.result.requests, report.result.failed, summary.explained,
                                   summary.failed - summary.explained);
    if (report.result.passed_over > 0) {
        text +=
            fmt::format("{} more failures were counted, not traced\n", report.result.passed_over);
    }
    const std::string outcomes = outcomes_text(summary.outcomes);
    if (!outcomes.empty()) text += "outcomes: " + outcomes + "\n";
    if (summary.failed == 0) return text;
    Table table({"cause", "count", "share", "sure", "first", "last", "most often"});
    for (const diagnose::CauseSum& sum : summary.causes) {
        table.add(
            {{cause_text(sum.cause), Colour::cyan},
             std::to_string(sum.count),
             fmt::format("{:.1f} %", 100 * static_cast<double>(sum.count) / failed),
             fmt::format("{:.2f}", sum.confidence),
             time_text(sum.first),
             time_text(sum.last),
             sum.paths.empty() ? "" : fitted(shown_text(report, sum.paths.front().name), 30)});
    }
    text += "\n" + table.text(paint, 0);
    text += "\nThe guide's six causes of a 520:\n";
    Table guide({"", "count"});
    for (const diagnose::Tally& one : summary.guide) {
        guide.add({one.name, std::to_string(one.count)});
    }
    text += guide.text(paint, 2);
    for (const diagnose::Minute& burst : summary.bursts) {
        text += fmt::format("  burst: {} failures in the minute of {}\n", burst.count,
                            time_text(burst.at));
    }
    for (const diagnose::CauseSum& sum : summary.causes) {
        const bool is_none = sum.cause == cause::Cause::none;
        if (is_none && sum.explanations.front().logs.empty()) continue;
        text += "\n" + paint(Colour::bold, cause_text(sum.cause)) +
                (is_none ? "" : "  " + wrapped(cause::row(sum.cause).reason, 2, 100)) + "\n" +
                explanations_text(report, sum);
        const auto where = [&](const char* name, const std::vector<diagnose::Tally>& tallies) {
            if (tallies.empty()) return;
            text += fmt::format("  {} {}\n", name, wrapped(tallies_text(report, tallies), 8));
        };
        where("paths", sum.paths);
        where("from ", sum.edges);
        where("to   ", sum.origins);
        if (!sum.minutes.empty()) text += "  when  " + minutes_text(sum.minutes) + "\n";
    }
    return text;
}

Colour colour_of(Outcome outcome) {
    switch (outcome) {
        case Outcome::matched:
            return Colour::green;
        case Outcome::ambiguous:
        case Outcome::not_covered:
            return Colour::yellow;
        case Outcome::never_arrived:
            return Colour::red;
    }
    return Colour::yellow;
}

std::string rays_text(const TraceReport& report, const Painter& paint) {
    Table table({"ray", "time", "edge", "origin", "outcome", "cause", "request"});
    size_t shown = 0;
    for (size_t i = 0; i < report.result.rays.size() && shown < kRaysShown; ++i) {
        const logs::TracedRay& ray = report.result.rays[i];
        ++shown;
        table.add(
            {record::RayId(ray.edge.ray).to_string(),
             time_text(ray.edge.start),
             std::to_string(ray.edge.edge_status),
             std::to_string(ray.edge.origin_status),
             {std::string(diagnose::outcome_of(ray, report.readings[i])), colour_of(ray.outcome)},
             cause_text(report.readings[i].cause),
             fitted(fmt::format("{} {}", ray.edge.method, shown_text(report, ray.edge.uri)),
                    kUriColumns)});
    }
    std::string text = "\n" + table.text(paint, 0);
    if (report.result.rays.size() > shown) {
        text += fmt::format("... and {} more; --json has them all, --ray ID shows one\n",
                            report.result.rays.size() - shown);
    }
    return text;
}

std::string one_text(const TraceReport& report, size_t index, const Painter& paint) {
    const logs::TracedRay& ray = report.result.rays[index];
    const diagnose::Reading& reading = report.readings[index];
    std::string text = "\n" +
                       paint(Colour::bold, "Ray " + record::RayId(ray.edge.ray).to_string()) +
                       "  " + time_text(ray.edge.start) + "\n";
    const auto row = [&](std::string_view name, std::string_view value) {
        text += fmt::format("  {:<9} {}\n", name, wrapped(value, 12));
    };
    row("request", printable(fmt::format("{} {}{}", ray.edge.method, ray.edge.host,
                                         shown_text(report, ray.edge.uri))));
    row("statuses", fmt::format("edge {}, origin {}: {}", ray.edge.edge_status,
                                ray.edge.origin_status, reading.pair));
    std::string outcome(diagnose::outcome_of(ray, reading));
    if (ray.confidence > 0) outcome += fmt::format(" (confidence {:.2f})", ray.confidence);
    row("trace", paint(colour_of(ray.outcome), outcome));
    if (ray.outcome == Outcome::not_covered) {
        row("", "The origin's logs do not cover that time, so a missing line proves nothing.");
    }
    for (const logs::OriginLine& line : ray.lines) {
        text += "  " +
                paint(Colour::dim, ray.outcome == Outcome::matched ? "origin   " : "maybe    ") +
                " " + printable(shown_text(report, line.text)) + "\n";
    }
    for (const auto& near : ray.nearby) {
        const logs::Event& event = *near;
        text += "  " + paint(Colour::dim, "nearby   ") + " " + time_text(event.time) + " " +
                printable(event.system + ": " + shown_text(report, event.message)) + "\n";
    }
    row("cause", reading.cause == cause::Cause::none
                     ? "nothing tells"
                     : fmt::format("{} (confidence {:.2f}): {}", cause_text(reading.cause),
                                   reading.confidence, cause::row(reading.cause).reason));
    if (!reading.logs.empty()) row("logs", printable(shown_text(report, reading.logs)));
    if (!reading.fix.empty()) row("fix", reading.fix);
    return text;
}

}  // namespace

std::string trace_text(const TraceReport& report, bool colour) {
    const Painter paint(colour);
    std::string text = logs_text(report, paint);
    if (report.for_one) {
        for (size_t i = 0; i < report.result.rays.size(); ++i) text += one_text(report, i, paint);
        return text;
    }
    text += summary_text(report, paint);
    if (!report.result.rays.empty()) text += rays_text(report, paint);
    return text;
}

}  // namespace edgecase::cli
