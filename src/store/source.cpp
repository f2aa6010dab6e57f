#include <algorithm>
#include <limits>
#include <utility>

#include "base/ascii.hpp"
#include "cause/table.hpp"
#include "record/binary.hpp"
#include "record/rollup_steps.hpp"
#include "store/schema.hpp"
#include "store/store.hpp"

namespace edgecase::store {
namespace {

using record::BlockReader;
using record::CaseFilter;
using record::RayId;
using record::Record;

// A case is a few KB in memory; whoever wants more of them asks by time.
constexpr size_t kMaximumCases = 10'000;
// The origin stands in no column: cases of others are read and passed over, so many at most.
constexpr int64_t kMaximumPassed = 200'000;

/// Every filter is a parameter that stands for "no limit" when it is not asked for.
std::string cases_sql(const CaseFilter& filter) {
    std::string sql = "SELECT bytes FROM cases WHERE start_ms >= ?1 AND start_ms <= ?2";
    if (filter.status) sql += " AND edge_status = ?3";
    if (!filter.cause.empty()) sql += " AND cause IN (" + record::cause_numbers(filter.cause) + ")";
    if (!filter.host.empty()) {
        sql += " AND (host = ?4 OR substr(host, 1, length(?4) + 1) = ?4 || ':')";
    }
    // As bytes: a path may hold what is not text, at which SQLite's text functions would stop.
    if (!filter.path.empty()) sql += " AND substr(CAST(path AS BLOB), 1, length(?5)) = ?5";
    if (filter.before) {
        sql += " AND (start_ms, ray) < (SELECT start_ms, ray FROM cases WHERE ray = ?7)";
    }
    return sql + " ORDER BY start_ms DESC, ray DESC LIMIT ?6";
}

class SqliteSource final : public record::Source {
  public:
    SqliteSource(Database database, std::string file)
        : database_(std::move(database)), file_(std::move(file)) {}

    std::expected<std::optional<Record>, std::string> find(RayId ray) override {
        auto found = find_case(ray);
        if (!found || *found) return found;
        return find_success(ray);
    }

    std::expected<std::vector<Record>, std::string> cases(const CaseFilter& filter) override {
        constexpr int64_t kForever = std::numeric_limits<int64_t>::max();
        auto statement = database_.prepare(cases_sql(filter));
        if (!statement) return std::unexpected(sentence(statement.error()));
        const auto ms = [](base::WallTime time) { return time.time_since_epoch().count() / 1000; };
        const std::string host = base::to_lower(filter.host);
        const size_t limit = std::min(filter.limit, kMaximumCases);
        statement->bind(0, filter.since ? ms(*filter.since) : -kForever)
            .bind(1, filter.until ? ms(*filter.until) : kForever)
            .bind(2, filter.status.value_or(0))
            .bind_text(3, host)
            .bind_blob(4, filter.path)
            .bind(5, filter.origin.empty() ? static_cast<int64_t>(limit) : kMaximumPassed);
        if (filter.before) statement->bind(6, key_of(*filter.before));
        std::vector<Record> records;
        while (records.size() < limit) {
            const auto row = statement->step();
            if (!row) return std::unexpected(sentence(row.error()));
            if (!*row) break;
            auto record = BlockReader(statement->bytes(0)).next();
            if (!record) continue;  // one damaged row must not hide the others
            if (!filter.origin.empty() && record->origin_url != filter.origin) continue;
            records.push_back(std::move(*record));
        }
        return records;
    }

    std::expected<void, std::string> visit_all(
        const std::function<void(const Record&)>& visit) override {
        for (const char* const sql : {"SELECT bytes FROM blocks ORDER BY start_ms",
                                      "SELECT bytes FROM cases ORDER BY start_ms"}) {
            auto statement = database_.prepare(sql);
            if (!statement) return std::unexpected(sentence(statement.error()));
            if (auto done = visit_rows(*statement, visit); !done) return done;
        }
        return {};
    }

    std::expected<base::WallTime, std::string> visit_recent(
        base::WallTime since, size_t maximum,
        const std::function<void(const Record&)>& visit) override {
        int64_t since_ms = base::milliseconds(since.time_since_epoch());
        const auto first = first_block(since_ms, static_cast<int64_t>(maximum));
        if (!first) return std::unexpected(sentence(first.error()));
        if (auto done = bound_cases(since_ms, static_cast<int64_t>(maximum)); !done) {
            return std::unexpected(sentence(done.error()));
        }
        const base::WallTime from{std::chrono::milliseconds(since_ms)};
        const auto wanted = [&](const Record& record) {
            if (record.start >= from) visit(record);
        };
        for (const auto& [sql, bound] :
             {std::pair{"SELECT bytes FROM blocks WHERE id >= ?1 ORDER BY id", *first},
              {"SELECT bytes FROM cases WHERE start_ms >= ?1 ORDER BY start_ms", since_ms}}) {
            auto statement = database_.prepare(sql);
            if (!statement) return std::unexpected(sentence(statement.error()));
            statement->bind(0, bound);
            if (auto done = visit_rows(*statement, wanted); !done) {
                return std::unexpected(std::move(done.error()));
            }
        }
        return from;
    }

    std::expected<std::chrono::seconds, std::string> visit_rollups(
        const record::RollupQuery& query,
        const std::function<void(const record::Rollup&)>& visit) override {
        std::chrono::seconds length =
            record::rollup_step(query, base::SystemClock().wall_now()).length;
        const auto there = database_.number(
            "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND "
            "name = 'rollups'");
        if (!there) return std::unexpected(sentence(there.error()));
        if (*there == 0) return length;  // a file of an earlier release
        const auto fitting = step_that_reaches(query, length);
        if (!fitting) return std::unexpected(sentence(fitting.error()));
        length = *fitting;
        auto statement = database_.prepare(
            "SELECT start, family, host, label, edge_status, origin_status, cause, requests, "
            "failures, bytes_in, bytes_out, latency FROM rollups "
            "WHERE step = ?1 AND start >= ?2 AND start < ?3 AND family <= ?4 ORDER BY start");
        if (!statement) return std::unexpected(sentence(statement.error()));
        const record::RollupSpan span = record::rollup_span(query, length);
        statement->bind(0, length.count())
            .bind(1, span.since.count())
            .bind(2, span.until.count())
            .bind(3, static_cast<int64_t>(query.with_paths ? record::RollupFamily::path
                                                           : record::RollupFamily::origin));
        while (true) {
            const auto row = statement->step();
            if (!row) return std::unexpected(sentence(row.error()));
            if (!*row) return length;
            visit(rollup_of(*statement));
        }
    }

  private:
    using Seconds = std::chrono::seconds;

    /// Where rollups take too much room the finest go first, however young they are: then longer
    /// steps tell more of the query's time.
    std::expected<Seconds, DatabaseError> step_that_reaches(const record::RollupQuery& query,
                                                            Seconds length) {
        for (const record::RollupStep& longer : record::kRollupSteps) {
            if (longer.length <= length) continue;
            const auto oldest = first_step(length, Seconds(0));
            if (!oldest) return oldest;
            const record::RollupSpan span = record::rollup_span(query, length);
            if (*oldest <= span.since) break;
            const auto older =
                first_step(longer.length, record::rollup_span(query, longer.length).since);
            if (!older) return older;
            const Seconds begin = std::min(*oldest, span.until);
            if (*older < begin - begin % longer.length) length = longer.length;
        }
        return length;
    }

    /// The first one that begins at `since` or later; the end of time: there is none.
    std::expected<Seconds, DatabaseError> first_step(Seconds length, Seconds since) {
        const auto start = database_.number(
            "SELECT coalesce(min(start), " + std::to_string(Seconds::max().count()) +
            ") FROM rollups WHERE step = " + std::to_string(length.count()) +
            " AND start >= " + std::to_string(since.count()));
        if (!start) return std::unexpected(start.error());
        return Seconds(*start);
    }

    /// From which block on there are `most` records since that time; `since_ms` moves forward if
    /// there are more, or where the blocks before are forgotten already.
    std::expected<int64_t, DatabaseError> first_block(int64_t& since_ms, int64_t most) {
        // They are in the order of their writing, which is nearly that of time.
        auto blocks =
            database_.prepare("SELECT id, end_ms, count, start_ms FROM blocks ORDER BY id DESC");
        if (!blocks) return std::unexpected(blocks.error());
        int64_t first = std::numeric_limits<int64_t>::max();
        int64_t begin = since_ms;
        for (int64_t count = 0;;) {
            const auto row = blocks->step();
            if (!row) return std::unexpected(row.error());
            if (!*row) {
                const bool forgotten = first != std::numeric_limits<int64_t>::max() && first > 1;
                if (forgotten) since_ms = std::max(since_ms, begin);
                return first;
            }
            if (blocks->integer(1) < since_ms) return first;
            count += blocks->integer(2);
            if (count > most) {
                since_ms = std::max(since_ms, blocks->integer(1));
                return first;
            }
            first = blocks->integer(0);
            begin = blocks->integer(3);
        }
    }

    /// Moves `since_ms` forward until there are at most `most` cases.
    std::expected<void, DatabaseError> bound_cases(int64_t& since_ms, int64_t most) {
        auto beyond = database_.prepare(
            "SELECT start_ms FROM cases WHERE start_ms >= ?1 ORDER BY start_ms DESC LIMIT 1 "
            "OFFSET ?2");
        if (!beyond) return std::unexpected(beyond.error());
        const auto row = beyond->bind(0, since_ms).bind(1, most).step();
        if (!row) return std::unexpected(row.error());
        if (*row) since_ms = beyond->integer(0) + 1;
        return {};
    }

    std::expected<void, std::string> visit_rows(Statement& statement,
                                                const std::function<void(const Record&)>& visit) {
        while (true) {
            const auto row = statement.step();
            if (!row) return std::unexpected(sentence(row.error()));
            if (!*row) return {};
            BlockReader reader(statement.bytes(0));
            while (!reader.empty()) {
                // One damaged record must not hide the others.
                if (const auto record = reader.next()) visit(*record);
            }
        }
    }

    static record::Rollup rollup_of(const Statement& row) {
        record::Rollup rollup;
        rollup.start = base::WallTime(std::chrono::seconds(row.integer(0)));
        rollup.key.family = static_cast<record::RollupFamily>(row.integer(1) != 0);
        rollup.key.host = row.bytes(2);
        rollup.key.label = row.bytes(3);
        rollup.key.edge_status = static_cast<uint16_t>(row.integer(4));
        rollup.key.origin_status = static_cast<uint16_t>(row.integer(5));
        rollup.key.cause = static_cast<cause::Cause>(row.integer(6));
        rollup.requests = static_cast<uint64_t>(row.integer(7));
        rollup.failures = static_cast<uint64_t>(row.integer(8));
        rollup.bytes_in = static_cast<uint64_t>(row.integer(9));
        rollup.bytes_out = static_cast<uint64_t>(row.integer(10));
        rollup.latency = row.bytes(11);
        return rollup;
    }

    using Found = std::expected<std::optional<Record>, std::string>;

    Found find_case(RayId ray) {
        auto statement = database_.prepare("SELECT bytes FROM cases WHERE ray = ?1");
        if (!statement) return std::unexpected(sentence(statement.error()));
        const auto row = statement->bind(0, key_of(ray)).step();
        if (!row) return std::unexpected(sentence(row.error()));
        if (!*row) return std::nullopt;
        return decoded(BlockReader(statement->bytes(0)));
    }

    Found find_success(RayId ray) {
        auto statement = database_.prepare(
            "SELECT bytes FROM blocks WHERE last_ray >= ?1 AND last_ray <= ?2 AND first_ray <= ?1 "
            "ORDER BY last_ray");
        if (!statement) return std::unexpected(sentence(statement.error()));
        statement->bind(0, key_of(ray)).bind(1, key_of(slot_end(ray)));
        while (true) {
            const auto row = statement->step();
            if (!row) return std::unexpected(sentence(row.error()));
            if (!*row) return std::nullopt;
            BlockReader reader(statement->bytes(0));
            while (const auto next = reader.peek()) {
                if (*next == ray) return decoded(reader);
                reader.skip();
            }
        }
    }

    Found decoded(BlockReader reader) const {
        auto record = reader.next();
        if (!record) return std::unexpected(file_ + ": " + record.error());
        return std::move(*record);
    }

    std::string sentence(const DatabaseError& error) const {
        return "cannot read record store " + file_ + ": " + error.message;
    }

    Database database_;
    const std::string file_;
};

}  // namespace

std::expected<std::unique_ptr<record::Source>, std::string> open_source(
    const std::filesystem::path& data_dir) {
    auto database = open_for_reading(data_dir);
    if (!database) return std::unexpected(std::move(database.error()));
    return std::make_unique<SqliteSource>(std::move(*database), (data_dir / kFileName).string());
}

}  // namespace edgecase::store
