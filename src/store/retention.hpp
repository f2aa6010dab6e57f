// Owns the forgetting: rows too old, or too many for the file's allowance, go in small steps.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>

#include "base/clock.hpp"
#include "store/database.hpp"

namespace edgecase::store {

/// Used by the writer thread only. Under pressure of size, blocks of successes go first, then
/// rollups, until the cases alone take more than half of the allowance: then the oldest cases go.
class Retention {
  public:
    Retention(Database& database, std::chrono::hours age, uint64_t bytes)
        : database_(database), age_(age), allowance_bytes_(bytes) {}

    /// Sums up the cases already there. Call once, before the others.
    std::expected<void, DatabaseError> begin();
    /// The writer put cases of so many encoded bytes into the file.
    void added(uint64_t cases, uint64_t bytes);

    struct Step {
        uint64_t rows = 0;      // deleted
        bool more_due = false;  // call again soon
    };
    /// One small transaction, some milliseconds long.
    std::expected<Step, DatabaseError> step(base::WallTime now);

  private:
    std::expected<uint64_t, DatabaseError> forget_old(base::WallTime now);
    std::expected<uint64_t, DatabaseError> forget_for_room();
    std::expected<uint64_t, DatabaseError> forget_cases(Statement& statement);
    std::expected<bool, DatabaseError> shrink();

    Database& database_;
    const std::chrono::hours age_;
    const uint64_t allowance_bytes_;
    Statement old_cases_;
    Statement old_blocks_;
    Statement oldest_cases_;
    Statement oldest_blocks_;
    Statement oldest_rollups_;
    Statement empty_places_;
    uint64_t case_bytes_ = 0;   // estimate, with the rows' share of the indexes
    uint64_t freed_bytes_ = 0;  // of it, by the transaction that is open
};

}  // namespace edgecase::store
