#include "clickhouse/delivery.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/clock.hpp"
#include "clickhouse/row_binary.hpp"
#include "clickhouse/seconds.hpp"
#include "record/binary.hpp"
#include "record/rollup_steps.hpp"

namespace edgecase::clickhouse {
namespace {

std::string insert_sql(const Settings& settings, Kind kind) {
    std::string names;
    for (const Column& column : columns()) {
        names += (names.empty() ? "" : ", ") + identifier(column.name);
    }
    return fmt::format("INSERT INTO {} ({}) FORMAT RowBinary",
                       local_table(settings, table_of(kind)), names);
}

std::string query_id_of(const Settings& settings, const Batch& batch, int64_t day) {
    return fmt::format("edgecase-{}-{}-{}-{}-{}", settings.database, batch.node,
                       table_of(batch.kind), batch.id, day);
}

/// Whether that server's own part of the ledger has the rows.
std::expected<bool, QueryError> is_there(Client& client, size_t server, const Batch& batch,
                                         const DayRows& day) {
    const auto count = client.ask(
        server, fmt::format("SELECT count() FROM {} WHERE ray = {} AND EdgeStartTimestamp = "
                            "toDateTime({}) AND node = {}",
                            local_table(client.settings(), table_of(batch.kind)), day.any.value(),
                            second_of(day.any), literal(batch.node)));
    if (!count) return std::unexpected(count.error());
    return *count != "0\n";
}

/// It was asked for the very rows: what it remembers of a block that it lost when it was killed
/// must not keep them out.
constexpr auto kAsked = Client::Repeated::inserted;

/// A server goes on with an insert whose client has left: what it has is not seen before its end.
std::expected<void, QueryError> has_ended(Client& client, size_t server,
                                          const std::string& query_id) {
    const auto running = client.ask(
        server, "SELECT count() FROM system.processes WHERE query_id = " + literal(query_id));
    if (!running) return std::unexpected(running.error());
    if (*running == "0\n") return {};
    return std::unexpected(
        QueryError{QueryError::Kind::refused,
                   kSameQueryRuns,
                   {},
                   "ClickHouse at " + client.settings().urls[server] + " is still at an insert"});
}

/// Steps of time that the batch's records ended in and the rollups have not counted it in.
std::expected<std::vector<uint32_t>, QueryError> uncounted(Client& client, size_t server,
                                                           const Batch& batch, const DayRows& day,
                                                           const record::RollupStep& step) {
    const auto length = static_cast<uint32_t>(step.length.count());
    // What is kept no longer is not missing: a server may have let it go by itself.
    const auto oldest = seconds_of(base::SystemClock().wall_now() - step.kept);
    std::set<uint32_t> starts;
    for (const uint32_t minute : day.ends) {
        const uint32_t start = minute - minute % length;
        if (start >= oldest) starts.insert(start);
    }
    if (starts.empty()) return std::vector<uint32_t>();
    const auto rows = client.ask(
        server, fmt::format("SELECT start FROM {} WHERE start >= toDateTime({}) AND start <= "
                            "toDateTime({}) AND node = {} AND family = {} GROUP BY start HAVING "
                            "has(groupUniqArrayMerge(batches), toUInt64({})) FORMAT RowBinary",
                            local_table(client.settings(), table_of(step)), *starts.begin(),
                            *starts.rbegin(), literal(batch.node), kBatchFamily, batch.id));
    if (!rows) return std::unexpected(rows.error());
    for (RowReader reader(*rows); !reader.empty();) starts.erase(reader.number<uint32_t>());
    return std::vector<uint32_t>(starts.begin(), starts.end());
}

/// The rows are there, but a server that died or failed in between may not have fed all views.
std::expected<void, QueryError> count_what_is_missing(Client& client, size_t server,
                                                      const Batch& batch, const DayRows& day,
                                                      const std::string& query_id) {
    for (const record::RollupStep& step : record::kRollupSteps) {
        const auto missing = uncounted(client, server, batch, day, step);
        if (!missing) return std::unexpected(missing.error());
        for (const uint32_t start : *missing) {
            const std::string where = fmt::format(
                "ray >= {} AND ray <= {} AND EdgeStartTimestamp >= toDateTime({}) AND "
                "EdgeStartTimestamp <= toDateTime({}) AND node = {} AND batch = {} AND ended >= "
                "toDateTime({}) AND ended < toDateTime({})",
                day.first.value(), day.last.value(), second_of(day.first), second_of(day.last),
                literal(batch.node), batch.id, start, start + step.length.count());
            const auto done = client.command(
                server,
                fmt::format("INSERT INTO {} {}", local_table(client.settings(), table_of(step)),
                            rollups_of(client.settings(), batch.kind, step, where)),
                query_id, kAsked);
            if (!done) return done;
        }
    }
    return {};
}

void add(Batch& batch, record::Record record, RowMaker& maker) {
    constexpr uint32_t kDay = 24 * 3600;
    const record::RayId ray = record.ray;
    DayRows& day = batch.days[second_of(ray) / kDay];
    if (day.records == 0) day.any = day.first = day.last = ray;
    day.first = std::min(day.first, ray);
    day.last = std::max(day.last, ray);
    day.ends.insert(end_of(record) / 60 * 60);
    ++day.records;
    maker.append(day.rows, std::move(record), batch.id);
}

}  // namespace

Batch make_batch(uint64_t id, const store::Parcel& parcel, RowMaker& maker) {
    Batch batch;
    batch.kind = parcel.kind;
    batch.id = id;
    batch.node = maker.node();
    std::string_view rest = parcel.bytes;
    for (const store::Parcel::Row& row : parcel.rows) {
        uint64_t made = 0;
        for (record::BlockReader reader(rest.substr(0, row.bytes)); !reader.empty();) {
            auto record = reader.next();
            if (!record) continue;
            add(batch, std::move(*record), maker);
            ++made;
        }
        batch.unreadable += row.records - std::min(row.records, made);
        rest.remove_prefix(row.bytes);
    }
    return batch;
}

std::expected<Delivered, QueryError> deliver(Client& client, size_t server, const Batch& batch,
                                             bool perhaps) {
    const std::string sql = insert_sql(client.settings(), batch.kind);
    Delivered delivered;
    bool has_part = false;
    const auto failed = [&](QueryError error) {
        // It was not asked for this day, but it has an earlier one.
        if (has_part && error.kind == QueryError::Kind::unreachable) {
            error.kind = QueryError::Kind::unanswered;
        }
        return std::unexpected(std::move(error));
    };
    for (const auto& [number, day] : batch.days) {
        const std::string query_id = query_id_of(client.settings(), batch, number);
        if (perhaps) {
            if (auto ended = has_ended(client, server, query_id); !ended) {
                return failed(ended.error());
            }
            const auto there = is_there(client, server, batch, day);
            if (!there) return failed(there.error());
            if (*there) {
                has_part = delivered.was_there = true;
                if (auto done = count_what_is_missing(client, server, batch, day, query_id);
                    !done) {
                    return failed(done.error());
                }
                continue;
            }
        }
        const auto done = client.insert(server, sql, day.rows, query_id,
                                        perhaps ? kAsked : Client::Repeated::left_out);
        if (!done) return failed(done.error());
        has_part = true;
    }
    return delivered;
}

bool has_nothing(Client& client, size_t server, const Batch& batch) {
    const auto no_table = [](const QueryError& error) {
        return error.code == kUnknownTable || error.code == kUnknownDatabase;
    };
    for (const auto& [number, day] : batch.days) {
        const std::string query_id = query_id_of(client.settings(), batch, number);
        if (!has_ended(client, server, query_id)) return false;
        const auto there = is_there(client, server, batch, day);
        if (there ? *there : !no_table(there.error())) return false;
    }
    return true;
}

}  // namespace edgecase::clickhouse
