#include <fmt/format.h>

#include <algorithm>

#include "cli/html_text.hpp"
#include "cli/trace_report.hpp"
#include "record/ray_id.hpp"

namespace edgecase::cli {
namespace {

constexpr size_t kRaysShown = 1000;
constexpr size_t kBars = 240;

/// Failures over time, a bar for each minute or for several.
std::string minutes_svg(const std::vector<diagnose::Minute>& minutes) {
    if (minutes.empty()) return "<p>No failure has a time.</p>";
    constexpr int64_t kMinuteUs = 60'000'000;
    const int64_t from = minutes.front().at;
    const diagnose::Bars bars = diagnose::bars_of(minutes, kBars);
    const uint64_t most = std::ranges::max(bars.counts);
    constexpr double kWidth = 960;
    constexpr double kHeight = 160;
    const double width = kWidth / static_cast<double>(bars.counts.size());
    std::string svg =
        fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"failures over time\">",
                    kWidth, kHeight);
    for (size_t i = 0; i < bars.counts.size(); ++i) {
        if (bars.counts[i] == 0) continue;
        const double height =
            kHeight * static_cast<double>(bars.counts[i]) / static_cast<double>(most);
        svg += fmt::format(
            "<rect x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\">"
            "<title>{}: {}</title></rect>",
            width * static_cast<double>(i), kHeight - height, std::max(0.8, width - 0.5), height,
            time_text(from + static_cast<int64_t>(i * bars.minutes) * kMinuteUs), bars.counts[i]);
    }
    return svg + fmt::format("</svg><p>{} to {}; a bar is {} min, the highest {} failures.</p>",
                             time_text(from), time_text(minutes.back().at), bars.minutes, most);
}

std::string causes_table(const TraceReport& report) {
    std::string text =
        "<div class=scroll><table><tr><th>cause<th>count<th>share<th>sure<th>first<th>last"
        "<th>what it is, and the fix</tr>";
    const auto failed = static_cast<double>(std::max<uint64_t>(1, report.summary.failed));
    for (const diagnose::CauseSum& sum : report.summary.causes) {
        const bool named = sum.cause != cause::Cause::none;
        const cause::Row& row = cause::row(sum.cause);
        const double share = 100 * static_cast<double>(sum.count) / failed;
        text += fmt::format(
            "<tr><td><code>{}</code><td class=n>{}<td>{:.1f} %<div class=share "
            "style=\"width:{:.0f}%\">"
            "</div><td class=n>{:.2f}<td>{}<td>{}<td>{}",
            named ? row.name : "unexplained", sum.count, share, share, sum.confidence,
            time_text(sum.first), time_text(sum.last), named ? html(row.reason) : "");
        for (const diagnose::Explanation& one : sum.explanations) {
            if (one.logs.empty() && one.fix.empty()) continue;
            text += fmt::format(
                "<p>{} of {}: {}", one.count, sum.count,
                one.logs.empty() ? "the logs add nothing." : html(shown_text(report, one.logs)));
            if (!one.fix.empty()) text += "<br><b>Fix:</b> " + html(one.fix);
            text += fmt::format("<br>e.g. <code>{}</code>", one.example);
        }
        if (sum.explained_otherwise > 0) {
            text += fmt::format("<p>{} of {}: otherwise.", sum.explained_otherwise, sum.count);
        }
        const auto tallies = [&](const char* name, const std::vector<diagnose::Tally>& all) {
            if (all.empty()) return;
            text += fmt::format("<details><summary>by {}</summary>", name);
            for (const diagnose::Tally& one : all) {
                text += fmt::format("<code>{}</code> {}<br>", html(shown_text(report, one.name)),
                                    one.count);
            }
            text += "</details>";
        };
        tallies("path", sum.paths);
        tallies("origin", sum.origins);
        tallies("edge address", sum.edges);
        text += "</tr>";
    }
    return text + "</table></div>";
}

std::string logs_table(const TraceReport& report) {
    std::string text =
        "<div class=scroll><table><tr><th>log<th>format<th>lines<th>not read<th>covers</tr>";
    for (const logs::LogReport& log : report.result.logs) {
        text += fmt::format("<tr><td>{}<td>{}<td class=n>{}<td class=n>{}<td>", html(log.name),
                            html(log.format), log.lines, log.unread.lines);
        for (const logs::Span& span : log.coverage.spans()) {
            text += time_text(span.from) + " to " + time_text(span.to) + "<br>";
        }
        text += "</tr>";
    }
    return text + "</table></div>";
}

std::string rays_table(const TraceReport& report) {
    std::string text =
        "<div class=scroll><table><tr><th>ray<th>time<th>edge<th>origin<th>outcome<th>cause"
        "<th>request</tr>";
    for (size_t i = 0; i < std::min(report.result.rays.size(), kRaysShown); ++i) {
        const logs::TracedRay& ray = report.result.rays[i];
        const diagnose::Reading& reading = report.readings[i];
        text += fmt::format(
            "<tr><td><code>{}</code><td>{}<td>{}<td>{}<td>{}<td><code>{}</code><td>{} {}{}",
            record::RayId(ray.edge.ray).to_string(), time_text(ray.edge.start),
            ray.edge.edge_status, ray.edge.origin_status, diagnose::outcome_of(ray, reading),
            reading.cause == cause::Cause::none ? "" : cause::row(reading.cause).name,
            html(ray.edge.method), html(ray.edge.host), html(shown_text(report, ray.edge.uri)));
        if (!ray.lines.empty() || !ray.nearby.empty()) {
            text += "<details><summary>logs</summary><pre>";
            for (const logs::OriginLine& line : ray.lines) {
                text += html(shown_text(report, line.text)) + "\n";
            }
            for (const auto& near : ray.nearby) {
                const logs::Event& event = *near;
                text += html(time_text(event.time) + " " + event.system + ": " +
                             shown_text(report, event.message)) +
                        "\n";
            }
            text += "</pre></details>";
        }
        text += "</tr>";
    }
    text += "</table></div>";
    if (report.result.rays.size() > kRaysShown) {
        text += fmt::format("<p>The first {} of {}.</p>", kRaysShown, report.result.rays.size());
    }
    return text;
}

}  // namespace

std::string trace_html(const TraceReport& report) {
    const diagnose::Summary& summary = report.summary;
    std::string page =
        "<!doctype html><html lang=en><head><meta charset=utf-8>"
        "<meta name=viewport content=\"width=device-width,initial-scale=1\">"
        // It shows what strangers sent: nothing of it may load or run.
        "<meta http-equiv=Content-Security-Policy content=\"default-src 'none';style-src "
        "'unsafe-inline'\"><title>Edgecase trace</title><style>";
    page += kStyle;
    page += fmt::format(
        "</style></head><body><h1>Trace</h1><p>{} requests, {} failed, {} explained, {} "
        "unexplained.",
        report.result.requests, report.result.failed, summary.explained,
        summary.failed - summary.explained);
    const logs::Skew& skew = report.result.skew;
    page +=
        skew.is_known()
            ? fmt::format(" The origin's clock is {:.3f} s {} the edge's ({} requests compared).",
                          std::abs(static_cast<double>(skew.typical_us())) / 1e6,
                          skew.typical_us() >= 0 ? "ahead of" : "behind", skew.pairs())
            : " The clocks could not be compared.";
    page += "</p><h2>Failures over time</h2>" + minutes_svg(summary.minutes);
    for (const diagnose::Minute& burst : summary.bursts) {
        page += fmt::format("<p>Burst: {} failures in the minute of {}.</p>", burst.count,
                            time_text(burst.at));
    }
    page += "<h2>Causes</h2>" + causes_table(report);
    page += "<h2>The guide's six causes of a 520</h2><table>";
    for (const diagnose::Tally& one : summary.guide) {
        page += fmt::format("<tr><td>{}<td class=n>{}</tr>", html(one.name), one.count);
    }
    page += "</table><h2>Logs</h2>" + logs_table(report);
    page += "<h2>Requests</h2>" + rays_table(report) + "</body></html>\n";
    return page;
}

}  // namespace edgecase::cli
