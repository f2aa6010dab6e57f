#include "cli/traffic_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "base/duration.hpp"
#include "cli/figures.hpp"
#include "cli/grid.hpp"
#include "cli/terminal_text.hpp"
#include "record/case_json.hpp"
#include "record/redact_uri.hpp"

namespace edgecase::cli {
namespace {

using record::Traffic;
using record::TrafficBy;
using record::TrafficTop;
using record::TrafficTotals;
using Kind = GridColumn::Kind;

constexpr size_t kLeastColumns = 60;
constexpr size_t kMostShapeColumns = 120;
constexpr size_t kTopRows = 5;

bool over_a_day(const Traffic& traffic) {
    return traffic.query.until - traffic.query.since > std::chrono::hours(24);
}

std::string heading(const Painter& paint, const Traffic& traffic) {
    const auto span = std::chrono::duration_cast<std::chrono::minutes>(
        traffic.query.until - traffic.query.since + std::chrono::seconds(30));
    const auto time = [](base::WallTime at) { return record::rfc3339(at).substr(0, 16) + "Z"; };
    std::string text = paint(Colour::bold, "Traffic") + "  " + time(traffic.query.since) + " to " +
                       time(traffic.query.until) + ", " + base::format_duration(span) + "\n";
    std::string only;
    const auto narrowed = [&](std::string_view name, const std::string& value) {
        if (!value.empty())
            only +=
                std::string(only.empty() ? "" : ", ") + std::string(name) + " " + printable(value);
    };
    narrowed("host", traffic.query.host);
    narrowed("origin", traffic.query.origin);
    narrowed("cause", traffic.query.cause);
    if (traffic.query.status) narrowed("status", std::to_string(*traffic.query.status));
    if (!only.empty()) text += "Only " + only + "\n";
    return text;
}

struct Figure {
    std::string name;
    std::string value;
    std::string note;    // its share
    std::string change;  // since the time before
    bool bad = false;    // more of it is bad
    bool seen = false;   // something to be seen
};

Figure counted(std::string name, uint64_t now, uint64_t all, const uint64_t* before, bool bad) {
    Figure figure{std::move(name), count_text(now), {}, {}, bad, now != 0};
    if (bad) figure.note = share_text(now, all);
    if (before != nullptr) {
        figure.change = change_text(static_cast<double>(now), static_cast<double>(*before));
    }
    return figure;
}

Figure timed(std::string name, std::optional<int64_t> now, std::optional<int64_t> before) {
    Figure figure{std::move(name), latency_text(now), {}, {}, true, false};
    if (now && before) {
        figure.change = change_text(static_cast<double>(*now), static_cast<double>(*before));
    }
    return figure;
}

/// Two columns of figures: what was counted, and how quick it was.
std::string totals_text(const Painter& paint, const Traffic& traffic, const TrafficTotals* before) {
    const TrafficTotals& now = traffic.totals;
    // Nothing then, and a change could not be named.
    if (before != nullptr && before->requests == 0) before = nullptr;
    const auto then = [&](uint64_t TrafficTotals::* which) {
        return before != nullptr ? &(before->*which) : nullptr;
    };
    const auto percentile = [](const TrafficTotals* of, double share) {
        return of != nullptr ? of->latency.percentile_us(share) : std::nullopt;
    };
    const auto maximum = [](const TrafficTotals* of) -> std::optional<int64_t> {
        if (of == nullptr || of->latency.total() == 0) return std::nullopt;
        return of->latency.maximum_us();
    };
    const std::vector<Figure> left{
        counted("requests", now.requests, now.requests, then(&TrafficTotals::requests), false),
        counted("failures", now.failures, now.requests, then(&TrafficTotals::failures), true),
        counted("edge errors", now.edge_errors, now.requests, then(&TrafficTotals::edge_errors),
                true),
        counted("origin errors", now.origin_errors, now.requests,
                then(&TrafficTotals::origin_errors), true),
        counted("client's fault", now.client_gone, now.requests, then(&TrafficTotals::client_gone),
                true)};
    std::vector<Figure> right;
    for (const auto& [name, share] : {std::pair{"p50", 0.5}, {"p95", 0.95}, {"p99", 0.99}}) {
        right.push_back(timed(name, percentile(&now, share), percentile(before, share)));
    }
    right.push_back(timed("max", maximum(&now), maximum(before)));
    right.push_back({"in / out",
                     bytes_text(now.bytes_in) + " / " + bytes_text(now.bytes_out),
                     {},
                     {},
                     false,
                     false});
    const auto change = [&](const Figure& figure, int width) {
        const std::string text = fmt::format("{:<{}}", figure.change, width);
        if (figure.change.empty() || !figure.bad) return text;
        return paint(figure.change.starts_with('-') ? Colour::green : Colour::red, text);
    };
    std::string text;
    for (size_t i = 0; i < left.size(); ++i) {
        const std::string value = fmt::format("{:>9}", left[i].value);
        const bool failed = left[i].bad && left[i].seen && i < 4;
        std::string line = fmt::format("  {:<15}", left[i].name) +
                           (failed   ? paint(Colour::red, value)
                            : i == 0 ? paint(Colour::bold, value)
                                     : value) +
                           fmt::format("  {:>7}  ", left[i].note) + change(left[i], 8) +
                           fmt::format("  {:<9}", right[i].name) + right[i].value;
        if (!right[i].change.empty()) line += "  " + change(right[i], 0);
        text += line + "\n";
    }
    return text;
}

std::vector<uint64_t> latencies(const Traffic& traffic, double share) {
    std::vector<uint64_t> values;
    for (const record::LatencyHistogram& step : traffic.latency) {
        values.push_back(
            static_cast<uint64_t>(std::max<int64_t>(step.percentile_us(share).value_or(0), 0)));
    }
    return values;
}

Colour colour_of(TrafficBy by, const std::string& key) {
    if (by == TrafficBy::cause) {
        const auto cause = cause::parse_cause(key);
        if (!cause || *cause == cause::Cause::none) return Colour::green;
        return record::is_failure(*cause) ? Colour::red : Colour::yellow;
    }
    if (by == TrafficBy::status) {
        if (key.starts_with('5')) return Colour::red;
        return key.starts_with('4') ? Colour::yellow : Colour::green;
    }
    return Colour::cyan;
}

std::string series_text(const Painter& paint, const Traffic& traffic, size_t columns) {
    std::string name(to_string(traffic.query.by));
    std::ranges::transform(name, name.begin(), [](char c) { return static_cast<char>(c - 32); });
    const bool date = over_a_day(traffic);
    // The axis stands in the heading, so its texts take part in the measuring.
    const auto grid_of = [&](const std::string& axis, size_t room) {
        Grid grid({{name, Kind::giving},
                   {"REQUESTS", Kind::number},
                   {"SHARE", Kind::number},
                   {axis, Kind::shape}});
        for (const record::TrafficSeries& one : traffic.series) {
            grid.add({key_text(one.key),
                      count_text(one.total),
                      share_text(one.total, traffic.totals.requests),
                      {sparkline(resampled(one.requests, room, Merge::sum)),
                       colour_of(traffic.query.by, one.key)}});
        }
        grid.add(
            {"p95 of the answers",
             latency_text(traffic.totals.latency.percentile_us(0.95)),
             "",
             {sparkline(resampled(latencies(traffic, 0.95), room, Merge::highest)), Colour::cyan}});
        return grid;
    };
    constexpr size_t kLeastShape = 24;  // long names give way rather than the shape
    const size_t room =
        std::clamp(grid_of("", 0).shape_columns(columns), kLeastShape, kMostShapeColumns);
    const size_t used =
        resampled(std::vector<uint64_t>(traffic.times.size()), room, Merge::sum).size();
    std::string axis;
    if (!traffic.times.empty()) {
        const std::string first = axis_time(traffic.times.front(), date);
        const std::string last = axis_time(traffic.query.until, date);
        axis = first;
        if (used > first.size() + last.size()) {
            axis += std::string(used - first.size() - last.size(), ' ') + last;
        }
    }
    const size_t shape = std::max(used, axis.size());
    Grid grid = grid_of(axis, room);
    // The shape has no width of its own for the grid: what it takes is taken from the others.
    std::string text = grid.text(paint, columns - (shape - axis.size()));
    return text;
}

std::string top_text(const Painter& paint, std::string_view name,
                     const std::vector<TrafficTop>& top, size_t columns, size_t rows) {
    if (top.empty()) return {};
    Grid grid({{std::string(name), Kind::giving},
               {"REQUESTS", Kind::number},
               {"FAILURES", Kind::number},
               {"SHARE", Kind::number},
               {"P95", Kind::number}});
    for (const TrafficTop& one : top) {
        if (grid.rows() == rows) break;
        const std::string failures = one.failures == 0 ? "-" : count_text(one.failures);
        const std::string rate = share_text(one.failures, one.requests);
        const auto red = [&](const std::string& text) {
            return one.failures == 0 ? Grid::Cell(text) : Grid::Cell(text, Colour::red);
        };
        grid.add({key_text(one.key), count_text(one.requests), red(failures), red(rate),
                  latency_text(one.p95_us)});
    }
    std::string text = "\n" + grid.text(paint, columns, true);
    if (top.size() > rows) text += fmt::format("  and {} more\n", top.size() - rows);
    return text;
}

}  // namespace

std::string axis_time(base::WallTime time, bool with_date) {
    const std::string text = record::rfc3339(time);  // 2026-11-28T20:43:00.000Z
    return with_date ? text.substr(5, 5) + " " + text.substr(11, 5) : text.substr(11, 5);
}

std::string key_text(const std::string& key) {
    return printable(record::redact_uri(key));
}

std::string traffic_text(const Traffic& traffic, const TrafficTotals* before, size_t columns,
                         bool colour) {
    const Painter paint(colour);
    columns = std::max(columns, kLeastColumns);
    std::string text = heading(paint, traffic);
    if (traffic.totals.requests == 0) {
        text += "No requests.";
        if (before != nullptr && before->requests != 0) {
            text += " " + count_text(before->requests) + " in the equally long time before.";
        }
        return text + "\n";
    }
    text += "\n" + totals_text(paint, traffic, before);
    text += "\n" + series_text(paint, traffic, columns);
    // Tables wider than a sentence are hard to follow with the eye.
    const size_t table = std::min<size_t>(columns, 120);
    const size_t rows = columns >= 120 ? 2 * kTopRows : kTopRows;
    std::vector<TrafficTop> causes = traffic.causes;
    std::erase_if(causes, [](const TrafficTop& one) { return one.key == "none"; });
    text += top_text(paint, "CAUSE", causes, table, rows);
    text += top_text(paint, "ORIGIN", traffic.origins, table, rows);
    text += top_text(paint, "HOST", traffic.hosts, table, rows);
    text += top_text(paint, "PATH", traffic.paths, table, rows);
    return text;
}

}  // namespace edgecase::cli
