#include "store/rollup_writer.hpp"

#include <algorithm>
#include <string>

#include "base/ascii.hpp"

namespace edgecase::store {
namespace {

using record::kRollupSteps;
using record::RollupCounts;
using record::RollupKeyView;
using record::RollupStep;

constexpr const char* kFind =
    "SELECT requests, failures, bytes_in, bytes_out, latency FROM rollups WHERE step = ?1 AND "
    "start = ?2 AND family = ?3 AND host = ?4 AND label = ?5 AND edge_status = ?6 AND "
    "origin_status = ?7 AND cause = ?8";
constexpr const char* kPut =
    "INSERT OR REPLACE INTO rollups (step, start, family, host, label, edge_status, origin_status, "
    "cause, requests, failures, bytes_in, bytes_out, latency) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
constexpr const char* kCount =
    "SELECT count(*) FROM rollups WHERE step = ?1 AND start = ?2 AND family = ?3";
constexpr const char* kOld =
    "DELETE FROM rollups WHERE step = ?1 AND start < ?2 AND start < "
    "(SELECT min(start) FROM rollups WHERE step = ?1) + ?3 "
    "RETURNING length(host) + length(label) + length(latency)";
constexpr int64_t kStepsAtOnce = 4;
// A minute and its coarser steps, two families each, and a few that come late.
constexpr size_t kRememberedSteps = 64;

Statement& bind_key(Statement& statement, const RollupStep& step, int64_t start,
                    const RollupKeyView& key) {
    return statement.bind(0, step.length.count())
        .bind(1, start)
        .bind(2, static_cast<int64_t>(key.family))
        .bind_blob(3, key.host)
        .bind_blob(4, key.label)
        .bind(5, key.edge_status)
        .bind(6, key.origin_status)
        .bind(7, static_cast<uint16_t>(key.cause));
}

uint64_t bytes_of(uint64_t texts) {
    return kRollupOverheadBytes + texts;
}

}  // namespace

std::expected<RollupWriter, DatabaseError> RollupWriter::prepare(Database& database) {
    RollupWriter writer(database);
    const std::pair<const char*, Statement*> wanted[] = {{kFind, &writer.find_},
                                                         {kPut, &writer.put_},
                                                         {kCount, &writer.count_},
                                                         {kOld, &writer.old_}};
    for (const auto& [sql, statement] : wanted) {
        auto prepared = database.prepare(sql);
        if (!prepared) return std::unexpected(std::move(prepared.error()));
        *statement = std::move(*prepared);
    }
    return writer;
}

std::expected<uint64_t, DatabaseError> RollupWriter::write(const record::RollupMinutes& minutes) {
    if (auto begun = database_->run("BEGIN IMMEDIATE"); !begun) {
        return std::unexpected(std::move(begun.error()));
    }
    grown_ = 0;
    auto done = add_all(minutes);
    if (done) done = database_->run("COMMIT");
    if (rows_.size() > kRememberedSteps) rows_.clear();
    if (done) return grown_;
    rows_.clear();
    // SQLite may have rolled back by itself, then this says so and changes nothing.
    (void)database_->run("ROLLBACK");
    return std::unexpected(std::move(done.error()));
}

std::expected<void, DatabaseError> RollupWriter::add_all(const record::RollupMinutes& minutes) {
    for (const auto& [minute, table] : minutes) {
        for (const auto& [key, counts] : table.kinds()) {
            const std::string host = base::to_lower(key.host);
            RollupKeyView lower = view_of(key);
            lower.host = host;
            for (const RollupStep& step : kRollupSteps) {
                const int64_t seconds = minute * 60;
                const int64_t start = seconds - seconds % step.length.count();
                if (auto done = add(step, start, lower, counts); !done) return done;
            }
        }
    }
    return {};
}

std::expected<void, DatabaseError> RollupWriter::add(const RollupStep& step, int64_t start,
                                                     const RollupKeyView& key,
                                                     const RollupCounts& counts) {
    RollupKeyView kept = key;
    RollupCounts sum = counts;
    auto found = merge_stored(step, start, kept, sum);
    if (found && !*found) {
        const auto rows = rows_of(step, start, key.family);
        if (!rows) return std::unexpected(rows.error());
        if (**rows >= kMaximumRollupRows) {
            kept.host = kept.label = record::kOtherLabel;
            found = merge_stored(step, start, kept, sum);
        }
        if (found && !*found) ++**rows;
    }
    if (!found) return std::unexpected(found.error());
    const std::string latency = sum.latency.encode();
    // What is counted of one kind only grows, and so does its histogram.
    grown_ += *found ? latency.size() - std::min<uint64_t>(**found, latency.size())
                     : bytes_of(kept.host.size() + kept.label.size() + latency.size());
    const auto done = bind_key(put_, step, start, kept)
                          .bind(8, static_cast<int64_t>(sum.requests))
                          .bind(9, static_cast<int64_t>(sum.failures))
                          .bind(10, static_cast<int64_t>(sum.bytes_in))
                          .bind(11, static_cast<int64_t>(sum.bytes_out))
                          .bind_blob(12, latency)
                          .step();
    if (!done) return std::unexpected(done.error());
    return {};
}

/// Adds what the file has of this kind, and says how long its histogram was. Empty: nothing.
std::expected<std::optional<uint64_t>, DatabaseError> RollupWriter::merge_stored(
    const RollupStep& step, int64_t start, const RollupKeyView& key, RollupCounts& counts) {
    const auto row = bind_key(find_, step, start, key).step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return std::nullopt;
    counts.requests += static_cast<uint64_t>(find_.integer(0));
    counts.failures += static_cast<uint64_t>(find_.integer(1));
    counts.bytes_in += static_cast<uint64_t>(find_.integer(2));
    counts.bytes_out += static_cast<uint64_t>(find_.integer(3));
    // Damaged bytes cost the latencies of one row, not the counting.
    const std::string_view latency = find_.bytes(4);
    const uint64_t length = latency.size();
    (void)counts.latency.merge_encoded(latency);
    find_.reset();
    return length;
}

/// How many there are, to be counted up. Counted in the file once.
std::expected<uint64_t*, DatabaseError> RollupWriter::rows_of(const RollupStep& step, int64_t start,
                                                              record::RollupFamily family) {
    const auto [known, fresh] = rows_.try_emplace({step.length.count(), start, family}, 0);
    if (!fresh) return &known->second;
    const auto row = count_.bind(0, step.length.count())
                         .bind(1, start)
                         .bind(2, static_cast<int64_t>(family))
                         .step();
    if (!row) return std::unexpected(row.error());
    known->second = static_cast<uint64_t>(count_.integer(0));
    count_.reset();
    return &known->second;
}

std::expected<RollupWriter::Forgotten, DatabaseError> RollupWriter::forget(base::WallTime now) {
    Forgotten forgotten;
    for (const RollupStep& step : kRollupSteps) {
        const auto oldest =
            std::chrono::floor<std::chrono::seconds>(now - step.kept).time_since_epoch();
        old_.bind(0, step.length.count())
            .bind(1, oldest.count())
            .bind(2, step.length.count() * kStepsAtOnce);
        while (true) {
            const auto row = old_.step();
            if (!row) return std::unexpected(row.error());
            if (!*row) break;
            ++forgotten.rows;
            forgotten.bytes += bytes_of(static_cast<uint64_t>(old_.integer(0)));
        }
    }
    return forgotten;
}

}  // namespace edgecase::store
