#include "clickhouse/rollups.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.hpp"
#include "clickhouse/row_binary.hpp"
#include "clickhouse/schema.hpp"
#include "clickhouse/seconds.hpp"
#include "record/latency_histogram.hpp"
#include "record/rollup_steps.hpp"

namespace edgecase::clickhouse {
namespace {

using record::Rollup;
using record::RollupFamily;
using Visit = std::function<void(const Rollup&)>;

/// Rows of one kind and start that have not been merged yet, or of several edges, are left apart:
/// whoever reads them adds them up, and for the server it would be most of the work.
std::string origins_sql(std::string_view table, std::string_view where) {
    return fmt::format(
        "SELECT host, label, start, edge_status, origin_status, cause_number, requests, failures, "
        "bytes_in, bytes_out, finalizeAggregation(latency_max), `latencyMap.step`, "
        "`latencyMap.count` FROM {} WHERE {} AND family = {} ORDER BY start",
        table, where, static_cast<int>(RollupFamily::origin));
}

/// There are many, and nobody asks when one was wanted. Whoever has room for some only wants those
/// that fail, and the busiest.
std::string paths_sql(std::string_view table, std::string_view where) {
    return fmt::format(
        "SELECT host, label, sum(requests) AS asked, sum(failures) AS failed, sum(bytes_in), "
        "sum(bytes_out), maxMerge(latency_max), sumMap(`latencyMap.step`, `latencyMap.count`) "
        "FROM {} WHERE {} AND family = {} GROUP BY host, label "
        "ORDER BY failed > 0 DESC, asked DESC, host, label",
        table, where, static_cast<int>(RollupFamily::path));
}

/// `start`: of paths. False: the row is damaged.
bool visit_row(RowReader& row, RollupFamily family, uint32_t start, const Visit& visit) {
    Rollup rollup;
    rollup.start = time_of(start);
    rollup.key.family = family;
    rollup.key.host = row.text();
    rollup.key.label = row.text();
    if (family == RollupFamily::origin) {
        rollup.start = time_of(row.number<uint32_t>());
        rollup.key.edge_status = row.number<uint16_t>();
        rollup.key.origin_status = row.number<uint16_t>();
        rollup.key.cause = static_cast<cause::Cause>(row.number<uint16_t>());
    }
    rollup.requests = row.number<uint64_t>();
    rollup.failures = row.number<uint64_t>();
    rollup.bytes_in = row.number<uint64_t>();
    rollup.bytes_out = row.number<uint64_t>();
    record::LatencyHistogram::Encoded latency;
    latency.maximum_us = row.number<int64_t>();
    const uint64_t steps = row.length();
    for (uint64_t i = 0; i < steps && !row.failed(); ++i) {
        latency.steps.emplace_back(row.number<uint16_t>(), 0);
    }
    const uint64_t counts = row.length();
    for (uint64_t i = 0; i < counts && !row.failed(); ++i) {
        const auto count = row.number<uint64_t>();
        if (i < latency.steps.size()) latency.steps[i].second = count;
    }
    if (row.failed()) return false;
    std::ranges::sort(latency.steps);
    const std::string bytes = latency.write();
    rollup.latency = bytes;
    visit(rollup);
    return true;
}

}  // namespace

std::expected<std::chrono::seconds, std::string> visit_rollups(Reading& reading,
                                                               const record::RollupQuery& query,
                                                               const std::string& node,
                                                               const Visit& visit) {
    const record::RollupStep& step = record::rollup_step(query, base::SystemClock().wall_now());
    const record::RollupSpan span = record::rollup_span(query, step.length);
    const uint32_t since = seconds_of(base::WallTime(span.since));
    std::string where = fmt::format("start >= toDateTime({}) AND start < toDateTime({})", since,
                                    seconds_of(base::WallTime(span.until)));
    for (const std::string* const one : {&query.node, &node}) {
        if (!one->empty()) where += " AND node = " + literal(*one);
    }
    const std::string table = whole_table(reading.settings(), table_of(step));
    for (const RollupFamily family : {RollupFamily::origin, RollupFamily::path}) {
        const bool is_path = family == RollupFamily::path;
        if (is_path && !query.with_paths) continue;
        const auto rows =
            reading.ask(is_path ? paths_sql(table, where) : origins_sql(table, where));
        if (!rows) return std::unexpected(rows.error());
        for (RowReader reader(*rows); !reader.empty();) {
            if (!visit_row(reader, family, since, visit)) {
                return std::unexpected("the ledger gave rollups that cannot be read");
            }
        }
    }
    return step.length;
}

}  // namespace edgecase::clickhouse
