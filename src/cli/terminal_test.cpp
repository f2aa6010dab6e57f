#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "cli/figures.hpp"
#include "cli/filter_flags.hpp"
#include "cli/grid.hpp"
#include "cli/tail_text.hpp"
#include "cli/top_keys.hpp"
#include "cli/top_text.hpp"
#include "cli/traffic_text.hpp"

namespace edgecase::cli {
namespace {

using namespace std::chrono_literals;
using record::Traffic;

const base::WallTime kNow{std::chrono::sys_days(std::chrono::year(2026) / 11 / 28) + 20h + 43min};

/// Columns that a line takes: code points, without colours.
size_t columns_of(std::string_view line) {
    size_t columns = 0;
    for (size_t i = 0; i < line.size(); ++i) {
        if (line[i] == '\x1b') {
            i = std::min(line.find('m', i), line.size());
        } else if ((static_cast<unsigned char>(line[i]) & 0xc0) != 0x80) {
            ++columns;
        }
    }
    return columns;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::istringstream in(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

size_t widest(const std::string& text) {
    size_t columns = 0;
    for (const std::string& line : lines_of(text)) columns = std::max(columns, columns_of(line));
    return columns;
}

/// An hour of traffic: 60 minutes, with `failures` in the last one.
Traffic some_traffic(uint64_t failures = 7) {
    Traffic traffic;
    traffic.query.since = kNow - 1h;
    traffic.query.until = kNow;
    for (int i = 0; i < 60; ++i) traffic.times.push_back(kNow - 1h + i * 1min);
    std::vector<uint64_t> requests(60, 20);
    std::vector<uint64_t> failed(60, 0);
    failed.back() = failures;
    traffic.series = {{"none", 1200, requests}, {"connect.refused", failures, failed}};
    traffic.latency.resize(60);
    traffic.latency.back().add(5000);
    traffic.totals.requests = 1200 + failures;
    traffic.totals.failures = traffic.totals.edge_errors = failures;
    traffic.totals.bytes_out = 5'000'000;
    for (int i = 0; i < 100; ++i) traffic.totals.latency.add(1000 * (i + 1));
    traffic.hosts = {{"shop.example", 1207, failures, 5000}};
    traffic.origins = {{"http://10.0.0.10:8080", 1200, 0, 5000},
                       {"http://a-very-long-name-of-an-origin.internal.shop.example:8080/",
                        failures, failures, 900}};
    traffic.causes = {{"none", 1200, 0, 5000}, {"connect.refused", failures, failures, 900}};
    traffic.statuses = {{"200", 1200, 0, 5000}};
    for (int i = 0; i < 12; ++i) {
        traffic.paths.push_back({"/orders/{n}/" + std::to_string(i), 100, failures, 5000});
    }
    return traffic;
}

TEST(Figures, counts_sizes_and_times_are_short) {
    EXPECT_EQ(count_text(0), "0");
    EXPECT_EQ(count_text(999), "999");
    EXPECT_EQ(count_text(12'345), "12,345");
    EXPECT_EQ(count_text(999'999), "999,999");
    EXPECT_EQ(count_text(1'234'567), "1.2M");
    EXPECT_EQ(count_text(999'960'000), "1.0G");
    EXPECT_EQ(count_text(~uint64_t{0}), "18446.7P");
    EXPECT_EQ(bytes_text(1023), "1023 B");
    EXPECT_EQ(bytes_text(1536), "1.5 KiB");
    EXPECT_EQ(bytes_text(1023 * 1024 + 1020), "1.0 MiB");
    EXPECT_EQ(latency_text(std::nullopt), "-");
    EXPECT_EQ(latency_text(420), "0.42 ms");
    EXPECT_EQ(latency_text(12'345), "12.3 ms");
    EXPECT_EQ(latency_text(123'456), "123 ms");
    EXPECT_EQ(latency_text(1'500'000), "1.50 s");
    EXPECT_EQ(rate_text(0), "0.00/s");
    EXPECT_EQ(rate_text(12.34), "12.3/s");
    EXPECT_EQ(rate_text(1234), "1,234/s");
}

TEST(Figures, a_share_never_rounds_to_all_or_nothing) {
    EXPECT_EQ(share_text(0, 0), "-");
    EXPECT_EQ(share_text(0, 5), "-");
    EXPECT_EQ(share_text(1, 100'000), "<0.1 %");
    EXPECT_EQ(share_text(99'999, 100'000), ">99.9 %");
    EXPECT_EQ(share_text(5, 5), "100.0 %");
    EXPECT_EQ(share_text(1, 3), "33.3 %");
}

TEST(Figures, a_change_is_told_where_there_is_something_to_compare_with) {
    EXPECT_EQ(change_text(5, 0), "");
    EXPECT_EQ(change_text(5, 5), "");
    EXPECT_EQ(change_text(112, 100), "+12 %");
    EXPECT_EQ(change_text(0, 100), "-100 %");
    EXPECT_EQ(change_text(2500, 100), "x25");
    EXPECT_EQ(change_text(100'001, 100'000), "");
}

TEST(Figures, more_values_than_columns_are_merged) {
    const std::vector<uint64_t> values{1, 2, 3, 4, 5};
    EXPECT_EQ(resampled(values, 5, Merge::sum), values);
    EXPECT_EQ(resampled(values, 3, Merge::sum), (std::vector<uint64_t>{3, 7, 5}));
    EXPECT_EQ(resampled(values, 2, Merge::highest), (std::vector<uint64_t>{3, 5}));
    EXPECT_TRUE(resampled(values, 0, Merge::sum).empty());
}

TEST(Grid, numbers_stand_to_the_right_and_one_column_gives_way) {
    using Kind = GridColumn::Kind;
    Grid grid({{"HOST", Kind::giving}, {"N", Kind::number}, {"X", Kind::text}});
    grid.add({"a-rather-long-name.example", "7", "z"});
    grid.add({"b", "1,000", ""});
    EXPECT_EQ(grid.text(Painter(false), 80),
              "HOST                            N  X\n"
              "a-rather-long-name.example      7  z\n"
              "b                           1,000\n");
    EXPECT_EQ(grid.text(Painter(false), 24),
              "HOST                N  X\n"
              "a-rather-lo...      7  z\n"
              "b               1,000\n");
    EXPECT_LE(widest(grid.text(Painter(true), 24)), 24u);
}

TEST(TrafficText, fits_eighty_columns_and_uses_more) {
    const Traffic traffic = some_traffic();
    const record::TrafficTotals before = some_traffic(2).totals;
    for (const size_t columns : {80u, 100u, 200u}) {
        for (const bool colour : {false, true}) {
            const std::string text = traffic_text(traffic, &before, columns, colour);
            EXPECT_LE(widest(text), columns) << text;
            EXPECT_EQ(text.contains('\x1b'), colour);
        }
    }
    EXPECT_GT(widest(traffic_text(traffic, &before, 200, false)), 80u);
    EXPECT_GT(lines_of(traffic_text(traffic, &before, 200, false)).size(),
              lines_of(traffic_text(traffic, &before, 80, false)).size());
}

TEST(TrafficText, has_totals_changes_series_and_tops) {
    const Traffic traffic = some_traffic();
    const record::TrafficTotals before = some_traffic(2).totals;
    const std::string text = traffic_text(traffic, &before, 80, false);
    for (const char* part :
         {"2026-11-28T19:43Z to 2026-11-28T20:43Z, 1h", "requests", "1,207", "failures", "+250 %",
          "p50", "p95", "p99", "max", "19:43", "20:43", "connect.refused", "█", "/orders/{n}/0",
          "and 7 more", "shop.example"}) {
        EXPECT_TRUE(text.contains(part)) << part << "\n" << text;
    }
    EXPECT_FALSE(traffic_text(traffic, nullptr, 80, false).contains("+250 %"));
}

TEST(TrafficText, says_that_there_were_no_requests) {
    Traffic traffic = some_traffic();
    traffic.totals = {};
    record::TrafficTotals before;
    EXPECT_TRUE(traffic_text(traffic, &before, 80, false).contains("No requests.\n"));
    before.requests = 5;
    EXPECT_TRUE(traffic_text(traffic, &before, 80, false).contains("5 in the equally long time"));
}

TEST(TrafficText, no_control_byte_of_a_key_reaches_the_terminal) {
    EXPECT_EQ(key_text("a\x1b[2Jb"), "a\\x1b[2Jb");
    EXPECT_FALSE(key_text("http://user:geheim@host/").contains("geheim"));
}

record::Record some_case() {
    record::Record record;
    record.ray = record::RayId(0x7a1b2c3d4e5f6789);
    record.start = kNow + 1234ms;
    record.method = "GET";
    record.host = "shop.example";
    record.uri = "/cart/token=geheim/x?y=1";
    record.origin_url = "http://10.0.0.10:8080";
    record.edge_status = cause::row(cause::Cause::resp_empty_fin).status;
    record.cause = cause::Cause::resp_empty_fin;
    return record;
}

TEST(TailLine, has_all_of_a_case_where_there_is_room) {
    const std::string line = tail_line(some_case(), 0, false, record::Secrets::redacted);
    EXPECT_TRUE(line.starts_with("2026-11-28T20:43:01.234Z 7a1b2c3d4e5f6789 ")) << line;
    for (const char* part :
         {" resp.empty_fin ", " GET shop.example/cart", "http://10.0.0.10:8080", "The origin"}) {
        EXPECT_TRUE(line.contains(part)) << part << "\n" << line;
    }
    EXPECT_EQ(std::ranges::count(line, '\n'), 1);
}

TEST(TailLine, is_one_line_of_the_terminal_whatever_its_width) {
    for (size_t columns = 1; columns < 200; ++columns) {
        const std::string line = tail_line(some_case(), columns, true, record::Secrets::redacted);
        EXPECT_LE(columns_of(line.substr(0, line.size() - 1)), columns) << line;
    }
    EXPECT_TRUE(
        tail_line(some_case(), 80, false, record::Secrets::redacted).starts_with("20:43:01.234 "));
}

TEST(TailLine, what_a_client_sent_commands_no_terminal) {
    record::Record record = some_case();
    record.method = "G\x1bT";
    record.host = "a\nb";
    record.uri = "/\x9b";
    const std::string line = tail_line(record, 0, false, record::Secrets::shown);
    EXPECT_EQ(std::ranges::count(line, '\n'), 1);
    EXPECT_TRUE(std::ranges::all_of(line.substr(0, line.size() - 1), [](char c) {
        return c >= 0x20 && c < 0x7f;
    })) << line;
}

TopScreen screen_of(const Traffic& traffic) {
    return {.traffic = traffic,
            .by = TopBy::cause,
            .per_second = 12.3,
            .recent = {1, 2, 3},
            .interval = "2s",
            .trouble = ""};
}

TEST(TopText, fills_the_screen_and_no_more) {
    const Traffic traffic = some_traffic();
    for (size_t by = 0; by < kTopBys; ++by) {
        for (const auto& [columns, rows] :
             {std::pair<size_t, size_t>{80, 24}, {40, 10}, {200, 60}, {20, 5}, {3, 1}, {80, 7}}) {
            TopScreen screen = screen_of(traffic);
            screen.by = static_cast<TopBy>(by);
            const auto lines = lines_of(top_text(screen, columns, rows, true, true));
            EXPECT_LE(lines.size(), rows);
            // Names and numbers of the grid need some room of their own.
            if (columns >= 80) {
                EXPECT_LE(widest(top_text(screen, columns, rows, true, true)), columns);
            }
        }
    }
}

TEST(TopText, shows_what_is_told_apart_and_the_keys) {
    const Traffic traffic = some_traffic();
    TopScreen screen = screen_of(traffic);
    std::string text = top_text(screen, 100, 30, false, true);
    EXPECT_TRUE(text.contains("[CAUSE]  status  host  origin  path")) << text;
    EXPECT_TRUE(text.contains("connect.refused")) << text;
    EXPECT_TRUE(text.contains("now 12.3/s  ")) << text;
    EXPECT_TRUE(lines_of(text).back().contains("q quit")) << text;
    EXPECT_EQ(lines_of(text).size(), 30u);
    EXPECT_LT(text.find("none "), text.find("connect.refused"));
    screen.failures_first = true;
    text = top_text(screen, 100, 30, false, true);
    EXPECT_GT(text.find("none "), text.find("connect.refused"));
    screen.by = TopBy::path;
    screen.paused = true;
    screen.trouble = "gone\x1b";
    text = top_text(screen, 100, 0, false, false);
    EXPECT_TRUE(text.contains("/orders/{n}/11")) << text;
    EXPECT_TRUE(text.contains("PAUSED")) << text;
    EXPECT_TRUE(text.contains("gone\\x1b")) << text;
    EXPECT_FALSE(text.contains("q quit")) << text;
}

TEST(TopText, groupings_go_round) {
    EXPECT_EQ(stepped(TopBy::cause, -1), TopBy::path);
    EXPECT_EQ(stepped(TopBy::path, 1), TopBy::cause);
    for (size_t by = 0; by < kTopBys; ++by) {
        EXPECT_EQ(parse_top_by(to_string(static_cast<TopBy>(by))), static_cast<TopBy>(by));
    }
    EXPECT_FALSE(parse_top_by("colour"));
}

TEST(Arrived, counts_what_is_new_and_not_what_left_the_window) {
    const Traffic before = some_traffic();
    Traffic now = before;
    EXPECT_EQ(arrived(before, now), 0u);
    now.series[0].requests.back() += 5;
    EXPECT_EQ(arrived(before, now), 5u);
    // A minute later: the oldest step has gone, a new one has come.
    now.times.erase(now.times.begin());
    now.times.push_back(kNow);
    for (auto& one : now.series) {
        one.requests.erase(one.requests.begin());
        one.requests.push_back(0);
    }
    now.series[0].requests.back() = 3;
    EXPECT_EQ(arrived(before, now), 8u);
}

TEST(TopKeys, are_read_also_when_a_sequence_comes_in_parts) {
    using Keys = std::vector<TopKey>;
    TopKeys keys;
    EXPECT_EQ(keys.read("q"), Keys{TopKey::quit});
    EXPECT_EQ(keys.read("\t\x1b[C\x1bOD\x1b[Z"),
              (Keys{TopKey::next, TopKey::next, TopKey::previous, TopKey::previous}));
    EXPECT_EQ(keys.read("\x1b"), Keys{});
    EXPECT_EQ(keys.read("["), Keys{});
    EXPECT_EQ(keys.read("1;5C"), Keys{TopKey::next});
    EXPECT_EQ(keys.read("xy\x1b[200~ps"), (Keys{TopKey::pause, TopKey::sort}));
    EXPECT_EQ(keys.read("\x1b\x1b[C"), Keys{TopKey::next});
    EXPECT_EQ(keys.read("\x1b[" + std::string(100, '1')), Keys{});
    EXPECT_EQ(keys.read("q"), Keys{TopKey::quit});
}

TEST(FilterFlags, spans_and_times_are_told_from_nonsense) {
    EXPECT_EQ(span_of("--window", "7d"), std::chrono::milliseconds(7 * 24h));
    EXPECT_TRUE(span_of("--window", "0s").error().contains("--window"));
    EXPECT_EQ(moment_of("--since", "15m", kNow), kNow - 15min);
    EXPECT_EQ(moment_of("--since", "2026-11-28T20:43:00Z", kNow), kNow);
    EXPECT_TRUE(moment_of("--since", "yester\x1b", kNow).error().contains("yester\\x1b"));
    EXPECT_TRUE(check_cause(""));
    EXPECT_TRUE(check_cause("resp"));
    EXPECT_TRUE(check_cause("resp.empty_fin"));
    EXPECT_FALSE(check_cause("nonsense"));
}

}  // namespace
}  // namespace edgecase::cli
