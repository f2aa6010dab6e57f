// Owns the rollups in the database: what one second adds, and what is old enough to go.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "base/clock.hpp"
#include "record/rollup_steps.hpp"
#include "store/database.hpp"

namespace edgecase::store {

/// Rows of one family in one step of time; what is one too many goes to `(other)`.
constexpr size_t kMaximumRollupRows = 300;

/// What a row takes beside host, label and latency: its other columns and the page's share
/// (measured in rollup_test.cpp).
constexpr uint64_t kRollupOverheadBytes = 24;

/// Used by the writer thread only.
class RollupWriter {
  public:
    static std::expected<RollupWriter, DatabaseError> prepare(Database& database);

    /// One transaction: all of it or, on an error, nothing. By how many bytes the rows grew.
    std::expected<uint64_t, DatabaseError> write(const record::RollupMinutes& minutes);
    struct Forgotten {
        uint64_t rows = 0;
        uint64_t bytes = 0;
    };
    /// Deletes some of what is too old.
    std::expected<Forgotten, DatabaseError> forget(base::WallTime now);

  private:
    explicit RollupWriter(Database& database) : database_(&database) {}
    std::expected<void, DatabaseError> add_all(const record::RollupMinutes& minutes);
    std::expected<void, DatabaseError> add(const record::RollupStep& step, int64_t start,
                                           const record::RollupKeyView& key,
                                           const record::RollupCounts& counts);
    std::expected<std::optional<uint64_t>, DatabaseError> merge_stored(
        const record::RollupStep& step, int64_t start, const record::RollupKeyView& key,
        record::RollupCounts& counts);
    std::expected<uint64_t*, DatabaseError> rows_of(const record::RollupStep& step, int64_t start,
                                                    record::RollupFamily family);

    Database* database_;
    /// Rows by step, start and family, of what was written to lately.
    std::map<std::tuple<int64_t, int64_t, record::RollupFamily>, uint64_t> rows_;
    uint64_t grown_ = 0;  // bytes, by the transaction that is open
    Statement find_;
    Statement put_;
    Statement count_;
    Statement old_;
};

}  // namespace edgecase::store
