// Owns the rollups in the database: what one second adds, and what is old enough to go.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <expected>
#include <map>
#include <utility>

#include "base/clock.hpp"
#include "record/sink.hpp"
#include "store/database.hpp"

namespace edgecase::store {

/// Rollups are kept in three steps: fine ones for a short time, coarse ones for long.
struct RollupStep {
    std::chrono::seconds length;
    std::chrono::hours kept;
};
constexpr std::array<RollupStep, 3> kRollupSteps{
    {{std::chrono::seconds(60), std::chrono::hours(48)},
     {std::chrono::seconds(600), std::chrono::hours(24 * 14)},
     {std::chrono::seconds(3600), std::chrono::hours(24 * 400)}}};

/// The length of the shortest step that is still kept for the query's beginning and does not give
/// more steps than it wants; else the longest.
std::chrono::seconds rollup_step(const record::RollupQuery& query, base::WallTime now);

/// Rows of one family in one step of time; what is one too many goes to `(other)`.
constexpr size_t kMaximumRollupRows = 300;

/// Used by the writer thread only.
class RollupWriter {
  public:
    static std::expected<RollupWriter, DatabaseError> prepare(Database& database);

    /// One transaction: all of it or, on an error, nothing.
    std::expected<void, DatabaseError> write(const record::RollupMinutes& minutes);
    /// Deletes some of what is too old. The number of rows that went.
    std::expected<uint64_t, DatabaseError> forget(base::WallTime now);

  private:
    explicit RollupWriter(Database& database) : database_(&database) {}
    std::expected<void, DatabaseError> add_all(const record::RollupMinutes& minutes);
    std::expected<void, DatabaseError> add(const RollupStep& step, int64_t start,
                                           const record::RollupKeyView& key,
                                           const record::RollupCounts& counts);
    std::expected<bool, DatabaseError> merge_stored(const RollupStep& step, int64_t start,
                                                    const record::RollupKeyView& key,
                                                    record::RollupCounts& counts);
    std::expected<bool, DatabaseError> has_room(const RollupStep& step, int64_t start,
                                                record::RollupFamily family);

    Database* database_;
    Statement find_;
    Statement put_;
    Statement count_;
    Statement old_;
};

}  // namespace edgecase::store
