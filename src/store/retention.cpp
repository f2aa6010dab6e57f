#include "store/retention.hpp"

#include <algorithm>
#include <utility>

#include "record/ray_time.hpp"
#include "store/rollup_writer.hpp"
#include "store/schema.hpp"

namespace edgecase::store {
namespace {

// One step: about 2 MiB of blocks, or as many cases as delete in some milliseconds.
constexpr const char* kOldCases =
    "DELETE FROM cases WHERE ray IN (SELECT ray FROM cases WHERE start_ms < ?1 "
    "ORDER BY start_ms LIMIT 512) RETURNING length(bytes)";
constexpr const char* kOldBlocks =
    "DELETE FROM blocks WHERE id IN (SELECT id FROM blocks WHERE last_ray < ?1 "
    "ORDER BY last_ray LIMIT 32) RETURNING id, count";
constexpr const char* kOldestCases =
    "DELETE FROM cases WHERE ray IN (SELECT ray FROM cases ORDER BY start_ms LIMIT 512) "
    "RETURNING length(bytes)";
// The finest step goes first: what it told stays in the coarser ones.
constexpr const char* kOldestRollups =
    "DELETE FROM rollups WHERE step = (SELECT min(step) FROM rollups) AND start = "
    "(SELECT min(start) FROM rollups WHERE step = (SELECT min(step) FROM rollups)) "
    "RETURNING length(host) + length(label) + length(latency)";
// Cases go roughly in the order in which they came; what is out of it is met a little later.
constexpr const char* kEmptyPlaces =
    "DELETE FROM case_order WHERE place IN (SELECT place FROM case_order ORDER BY place LIMIT "
    "1024) "
    "AND NOT EXISTS (SELECT 1 FROM cases WHERE cases.ray = case_order.ray) RETURNING place, 1";
constexpr const char* kOldestBlocks =
    "DELETE FROM blocks WHERE id IN (SELECT id FROM blocks ORDER BY last_ray LIMIT 32) "
    "RETURNING id, count";
constexpr const char* kPosition = "SELECT position FROM shipped WHERE kind = ";

// What a case takes beside its bytes: columns, row head, three index entries (measured on 100,000:
// 161).
constexpr uint64_t kCaseOverheadBytes = 160;
constexpr int64_t kShrinkPages = 512;
// Free pages are reused by the next rows, so the file is made smaller only when they are many.
constexpr int64_t kManyFreePages = 1024;

}  // namespace

std::expected<void, DatabaseError> Retention::begin() {
    const std::pair<const char*, Statement*> wanted[] = {
        {kOldCases, &old_cases_},           {kOldBlocks, &old_blocks_},
        {kOldestCases, &oldest_cases_},     {kOldestBlocks, &oldest_blocks_},
        {kOldestRollups, &oldest_rollups_}, {kEmptyPlaces, &empty_places_}};
    for (const auto& [sql, statement] : wanted) {
        auto prepared = database_.prepare(sql);
        if (!prepared) return std::unexpected(std::move(prepared.error()));
        *statement = std::move(*prepared);
    }
    const auto count = database_.number("SELECT count(*) FROM cases");
    if (!count) return std::unexpected(count.error());
    const auto bytes = database_.number("SELECT coalesce(sum(length(bytes)), 0) FROM cases");
    if (!bytes) return std::unexpected(bytes.error());
    added(static_cast<uint64_t>(*count), static_cast<uint64_t>(*bytes));
    const auto rollups =
        database_.number("SELECT coalesce(sum(length(host) + length(label) + length(latency) + " +
                         std::to_string(kRollupOverheadBytes) + "), 0) FROM rollups");
    if (!rollups) return std::unexpected(rollups.error());
    rollups_grew(static_cast<uint64_t>(*rollups));
    return {};
}

void Retention::added(uint64_t cases, uint64_t bytes) {
    case_bytes_ += cases * kCaseOverheadBytes + bytes;
}

std::expected<Retention::Step, DatabaseError> Retention::step(base::WallTime now) {
    Step result;
    freed_bytes_ = freed_rollups_ = 0;
    unshipped_cases_ = unshipped_successes_ = 0;
    if (auto begun = database_.run("BEGIN IMMEDIATE"); !begun) {
        return std::unexpected(std::move(begun.error()));
    }
    auto rows = forget_old(now);
    if (rows && *rows == 0) {
        result.for_room = true;
        rows = forget_for_room();
    }
    const auto ended = database_.run(rows ? "COMMIT" : "ROLLBACK");
    if (!rows) return std::unexpected(std::move(rows.error()));
    if (!ended) {
        (void)database_.run("ROLLBACK");
        return std::unexpected(ended.error());
    }
    case_bytes_ -= std::min(case_bytes_, freed_bytes_);
    rollups_shrank(freed_rollups_);
    const auto shrunk = shrink();
    if (!shrunk) return std::unexpected(shrunk.error());
    result.rows = *rows;
    result.unshipped_cases = unshipped_cases_;
    result.unshipped_successes = unshipped_successes_;
    result.more_due = *rows != 0 || *shrunk;
    return result;
}

std::expected<uint64_t, DatabaseError> Retention::forget_old(base::WallTime now) {
    const base::WallTime oldest = now - age_;
    old_cases_.bind(0, base::milliseconds(oldest.time_since_epoch()));
    auto cases = forget_cases(old_cases_);
    if (!cases) return cases;
    old_blocks_.bind(0, key_of(record::first_ray_at(oldest)));
    auto blocks = forget_places(old_blocks_, 1, unshipped_successes_);
    if (!blocks) return blocks;
    return *cases + *blocks;
}

std::expected<uint64_t, DatabaseError> Retention::forget_for_room() {
    const auto used = database_.number(
        "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, "
        "pragma_freelist_count, pragma_page_size");
    if (!used) return std::unexpected(used.error());
    if (static_cast<uint64_t>(*used) <= allowance_bytes_) return 0;
    if (rollup_bytes_ > allowance_bytes_ / kRollupShare) {
        const auto rows = forget_rollups();
        if (!rows || *rows != 0) return rows;
    }
    if (case_bytes_ <= allowance_bytes_ / 2) {
        const auto blocks = forget_blocks();
        if (!blocks || *blocks != 0) return blocks;
        const auto rollups = forget_rollups();
        if (!rollups || *rollups != 0) return rollups;
    }
    return forget_cases(oldest_cases_);
}

std::expected<uint64_t, DatabaseError> Retention::forget_blocks() {
    return forget_places(oldest_blocks_, 1, unshipped_successes_);
}

/// What another ledger should have had counts as lost.
std::expected<uint64_t, DatabaseError> Retention::forget_places(Statement& statement, int kind,
                                                                uint64_t& unshipped) {
    const auto position = database_.number(kPosition + std::to_string(kind));
    if (!position) return std::unexpected(position.error());
    uint64_t rows = 0;
    while (true) {
        const auto row = statement.step();
        if (!row) return std::unexpected(row.error());
        if (!*row) return rows;
        ++rows;
        if (ships_ && statement.integer(0) > *position) {
            unshipped += static_cast<uint64_t>(statement.integer(1));
        }
    }
}

std::expected<uint64_t, DatabaseError> Retention::forget_rollups() {
    uint64_t rows = 0;
    while (true) {
        const auto row = oldest_rollups_.step();
        if (!row) return std::unexpected(row.error());
        if (!*row) return rows;
        ++rows;
        freed_rollups_ += kRollupOverheadBytes + static_cast<uint64_t>(oldest_rollups_.integer(0));
    }
}

std::expected<uint64_t, DatabaseError> Retention::forget_cases(Statement& statement) {
    uint64_t rows = 0;
    while (true) {
        const auto row = statement.step();
        if (!row) return std::unexpected(row.error());
        if (!*row) break;
        ++rows;
        freed_bytes_ += kCaseOverheadBytes + static_cast<uint64_t>(statement.integer(0));
    }
    if (rows == 0) return rows;
    if (const auto done = forget_places(empty_places_, 0, unshipped_cases_); !done) return done;
    return rows;
}

/// Gives free pages back to the file system. True when there is more to give.
std::expected<bool, DatabaseError> Retention::shrink() {
    const auto pages = database_.number("PRAGMA page_count");
    if (!pages) return std::unexpected(pages.error());
    const auto free = database_.number("PRAGMA freelist_count");
    if (!free) return std::unexpected(free.error());
    const auto page_bytes = database_.number("PRAGMA page_size");
    if (!page_bytes) return std::unexpected(page_bytes.error());
    const int64_t allowance_pages = static_cast<int64_t>(allowance_bytes_) / *page_bytes;
    const int64_t over = std::min(*pages - allowance_pages, *free);
    const bool many_free = *free > kManyFreePages && *free > *pages / 4;
    const int64_t wanted = std::min(many_free ? std::max(over, kShrinkPages) : over, kShrinkPages);
    if (wanted <= 0) return false;
    if (auto done = database_.run("PRAGMA incremental_vacuum(" + std::to_string(wanted) + ")");
        !done) {
        return std::unexpected(std::move(done.error()));
    }
    return over > wanted || many_free;
}

}  // namespace edgecase::store
