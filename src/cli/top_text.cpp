#include "cli/top_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/duration.hpp"
#include "cli/console.hpp"
#include "cli/figures.hpp"
#include "cli/grid.hpp"
#include "cli/terminal_text.hpp"
#include "cli/traffic_text.hpp"
#include "record/case_json.hpp"

namespace edgecase::cli {
namespace {

using record::Traffic;
using record::TrafficTop;
using Kind = GridColumn::Kind;

constexpr std::array<std::string_view, kTopBys> kNames{"cause", "status", "host", "origin", "path"};
constexpr size_t kAllRows = 1000;  // where nothing bounds them

const std::vector<TrafficTop>& rows_of(const Traffic& traffic, TopBy by) {
    switch (by) {
        case TopBy::cause:
            return traffic.causes;
        case TopBy::status:
            return traffic.statuses;
        case TopBy::host:
            return traffic.hosts;
        case TopBy::origin:
            return traffic.origins;
        case TopBy::path:
            break;
    }
    return traffic.paths;
}

/// Lines of plain text; what is painted is cut before.
class Lines {
  public:
    Lines(size_t columns, bool colour) : columns_(columns), paint(colour) {}
    void add(std::string text, std::optional<Colour> colour = std::nullopt) {
        if (text.size() > columns_) text.resize(columns_);
        lines_.push_back(colour ? paint(*colour, text) : std::move(text));
    }
    void add_whole(std::string text) { lines_.push_back(std::move(text)); }
    size_t size() const { return lines_.size(); }
    std::string text(size_t rows) const {
        std::string text;
        for (size_t i = 0; i < std::min(rows, lines_.size()); ++i) {
            text += (i == 0 ? "" : "\n") + lines_[i];
        }
        return text;
    }

  private:
    size_t columns_;
    std::vector<std::string> lines_;

  public:
    const Painter paint;
};

void add_head(Lines& lines, const TopScreen& screen, size_t columns) {
    const Traffic& traffic = screen.traffic;
    const record::TrafficTotals& totals = traffic.totals;
    const auto span =
        std::chrono::round<std::chrono::seconds>(traffic.query.until - traffic.query.since);
    lines.add("edgecase top  " + record::rfc3339(traffic.query.until).substr(0, 19) + "Z  last " +
                  base::format_duration(span) + ", every " + screen.interval +
                  (screen.paused ? "  PAUSED" : ""),
              screen.paused ? Colour::yellow : Colour::bold);
    lines.add("requests " + count_text(totals.requests) + "  failures " +
              count_text(totals.failures) + " (" + share_text(totals.failures, totals.requests) +
              ")  origin errors " + count_text(totals.origin_errors) + "  client's fault " +
              count_text(totals.client_gone));
    lines.add("p50 " + latency_text(totals.latency.percentile_us(0.5)) + "  p95 " +
              latency_text(totals.latency.percentile_us(0.95)) + "  p99 " +
              latency_text(totals.latency.percentile_us(0.99)) + "  in " +
              bytes_text(totals.bytes_in) + "  out " + bytes_text(totals.bytes_out));
    const std::string now = "now " + rate_text(screen.per_second) + "  ";
    const size_t room = columns > now.size() ? columns - now.size() : 0;
    std::vector<uint64_t> recent = screen.recent;
    if (recent.size() > room) {
        recent.erase(recent.begin(), recent.end() - static_cast<ptrdiff_t>(room));
    }
    lines.add_whole(now.substr(0, columns) + lines.paint(Colour::cyan, sparkline(recent)));
    if (!screen.trouble.empty()) lines.add(one_line(screen.trouble), Colour::red);
    lines.add("");
}

void add_tabs(Lines& lines, TopBy by) {
    std::string text;
    for (size_t i = 0; i < kNames.size(); ++i) {
        const bool chosen = i == static_cast<size_t>(by);
        std::string name(kNames[i]);
        if (chosen) {
            std::ranges::transform(name, name.begin(),
                                   [](char c) { return static_cast<char>(c - 32); });
        }
        text +=
            (i == 0 ? "" : "  ") + (chosen ? lines.paint(Colour::bold, "[" + name + "]") : name);
    }
    lines.add_whole(text);
}

double seconds_of(const Traffic& traffic) {
    if (traffic.times.empty()) return 1;
    const std::chrono::duration<double> span = traffic.query.until - traffic.times.front();
    return std::max(span.count(), 1.0);
}

std::string grid_text(const TopScreen& screen, const Painter& paint, size_t columns, size_t rows) {
    const Traffic& traffic = screen.traffic;
    std::vector<TrafficTop> top = rows_of(traffic, screen.by);
    if (screen.failures_first) {
        std::ranges::sort(top, [](const TrafficTop& a, const TrafficTop& b) {
            if (a.failures != b.failures) return a.failures > b.failures;
            return a.requests != b.requests ? a.requests > b.requests : a.key < b.key;
        });
    }
    if (top.size() > rows) top.resize(rows);
    std::map<std::string, const std::vector<uint64_t>*> shapes;
    if (screen.by != TopBy::path) {
        for (const auto& one : traffic.series) shapes[one.key] = &one.requests;
    }
    std::string name(to_string(screen.by));
    std::ranges::transform(name, name.begin(), [](char c) { return static_cast<char>(c - 32); });
    constexpr size_t kShapeColumns = 20;
    const size_t shape = std::min(kShapeColumns, traffic.times.size());
    Grid grid({{name, Kind::giving},
               {"REQ/S", Kind::number},
               {"REQUESTS", Kind::number},
               {"FAILURES", Kind::number},
               {"SHARE", Kind::number},
               {"P95", Kind::number},
               {std::string(shape, ' '), Kind::shape}});
    const double seconds = seconds_of(traffic);
    for (const TrafficTop& one : top) {
        const auto found = shapes.find(one.key);
        const auto red = [&](std::string text) {
            return one.failures == 0 ? Grid::Cell("-") : Grid::Cell(std::move(text), Colour::red);
        };
        grid.add({key_text(one.key),
                  rate_text(static_cast<double>(one.requests) / seconds),
                  count_text(one.requests),
                  red(count_text(one.failures)),
                  red(share_text(one.failures, one.requests)),
                  latency_text(one.p95_us),
                  {found == shapes.end() ? std::string()
                                         : sparkline(resampled(*found->second, shape, Merge::sum)),
                   Colour::cyan}});
    }
    return grid.text(paint, columns, true);
}

}  // namespace

std::optional<TopBy> parse_top_by(std::string_view text) {
    const auto found = std::ranges::find(kNames, text);
    if (found == kNames.end()) return std::nullopt;
    return static_cast<TopBy>(found - kNames.begin());
}

std::string_view to_string(TopBy by) {
    return kNames[static_cast<size_t>(by)];
}

TopBy stepped(TopBy by, int steps) {
    const int count = static_cast<int>(kTopBys);
    return static_cast<TopBy>(((static_cast<int>(by) + steps) % count + count) % count);
}

record::TrafficBy series_of(TopBy by) {
    return record::parse_traffic_by(to_string(by)).value_or(record::TrafficBy::cause);
}

std::string top_text(const TopScreen& screen, size_t columns, size_t rows, bool colour,
                     bool with_keys) {
    Lines lines(columns, colour);
    if (rows == 0) rows = kAllRows;
    add_head(lines, screen, columns);
    add_tabs(lines, screen.by);
    const size_t foot = with_keys ? 1 : 0;
    const size_t used = lines.size() + 1 + foot;  // with the heading of the rows
    std::string_view rest;
    const std::string grid = grid_text(screen, lines.paint, columns, rows > used ? rows - used : 0);
    for (rest = grid; !rest.empty();
         rest.remove_prefix(std::min(rest.find('\n') + 1, rest.size()))) {
        lines.add_whole(std::string(rest.substr(0, rest.find('\n'))));
    }
    if (screen.traffic.totals.requests == 0) lines.add("no requests");
    if (!with_keys || rows < 2) return lines.text(rows);
    const std::string keys = "q quit  arrows or tab: what is told apart  s sort by " +
                             std::string(screen.failures_first ? "requests" : "failures") + "  p " +
                             (screen.paused ? "go on" : "pause");
    // The keys stand on the last line, whatever is above.
    while (lines.size() + foot < rows && rows != kAllRows) lines.add("");
    return lines.text(rows - foot) + "\n" +
           lines.paint(Colour::dim, keys.substr(0, std::min(keys.size(), columns)));
}

uint64_t arrived(const Traffic& before, const Traffic& now) {
    std::map<base::WallTime, uint64_t> counted;
    for (size_t i = 0; i < before.times.size(); ++i) {
        for (const auto& one : before.series) counted[before.times[i]] += one.requests[i];
    }
    uint64_t sum = 0;
    for (size_t i = 0; i < now.times.size(); ++i) {
        uint64_t requests = 0;
        for (const auto& one : now.series) requests += one.requests[i];
        const auto was = counted.find(now.times[i]);
        if (was != counted.end()) {
            sum += requests - std::min(requests, was->second);
        } else if (!before.times.empty() && now.times[i] > before.times.back()) {
            sum += requests;
        }
    }
    return sum;
}

}  // namespace edgecase::cli
