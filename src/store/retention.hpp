// Owns the forgetting: rows too old, or too many for the file's allowance, go in small steps.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <expected>

#include "base/clock.hpp"
#include "store/database.hpp"

namespace edgecase::store {

/// Used by the writer thread only. Under pressure of size, rollups go first as long as they take
/// more than their share, then blocks of successes, then the other rollups, until the cases alone
/// take more than half of the allowance: then the oldest cases go.
class Retention {
  public:
    /// `ships`: another ledger is to have the records.
    Retention(Database& database, std::chrono::hours age, uint64_t bytes, bool ships)
        : database_(database), age_(age), allowance_bytes_(bytes), ships_(ships) {}

    /// A quarter of the allowance is theirs: hosts and paths that clients make up fill no more.
    static constexpr uint64_t kRollupShare = 4;

    /// Sums up the cases and rollups already there. Call once, before the others.
    std::expected<void, DatabaseError> begin();
    /// The writer put cases of so many encoded bytes into the file.
    void added(uint64_t cases, uint64_t bytes);
    /// Rollups of so many bytes were written, or deleted.
    void rollups_grew(uint64_t bytes) { rollup_bytes_ += bytes; }
    void rollups_shrank(uint64_t bytes) { rollup_bytes_ -= std::min(rollup_bytes_, bytes); }

    struct Step {
        uint64_t rows = 0;             // deleted
        bool for_room = false;         // they were not too old
        uint64_t unshipped_cases = 0;  // records of them that the other ledger has not got
        uint64_t unshipped_successes = 0;
        bool more_due = false;  // call again soon
    };
    /// One small transaction, some milliseconds long.
    std::expected<Step, DatabaseError> step(base::WallTime now);

  private:
    std::expected<uint64_t, DatabaseError> forget_old(base::WallTime now);
    std::expected<uint64_t, DatabaseError> forget_for_room();
    std::expected<uint64_t, DatabaseError> forget_blocks();
    std::expected<uint64_t, DatabaseError> forget_rollups();
    std::expected<uint64_t, DatabaseError> forget_places(Statement& statement, int kind,
                                                         uint64_t& unshipped);
    std::expected<uint64_t, DatabaseError> forget_cases(Statement& statement);
    std::expected<bool, DatabaseError> shrink();

    Database& database_;
    const std::chrono::hours age_;
    const uint64_t allowance_bytes_;
    const bool ships_;
    Statement old_cases_;
    Statement old_blocks_;
    Statement oldest_cases_;
    Statement oldest_blocks_;
    Statement oldest_rollups_;
    Statement empty_places_;
    uint64_t case_bytes_ = 0;    // estimate, with the rows' share of the indexes
    uint64_t freed_bytes_ = 0;   // of it, by the transaction that is open
    uint64_t rollup_bytes_ = 0;  // estimate
    uint64_t freed_rollups_ = 0;
    uint64_t unshipped_cases_ = 0;  // by the transaction that is open
    uint64_t unshipped_successes_ = 0;
};

}  // namespace edgecase::store
