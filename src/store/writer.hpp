// Owns the writing: what one batch becomes in the database.
#pragma once

#include <cstdint>
#include <expected>

#include "store/block_queue.hpp"
#include "store/database.hpp"

namespace edgecase::store {

/// Used by the writer thread only.
class Writer {
  public:
    static std::expected<Writer, DatabaseError> prepare(Database& database);

    struct Written {
        uint64_t successes = 0;
        uint64_t cases = 0;
        uint64_t case_bytes = 0;
        uint64_t unreadable = 0;  // records left out because they could not be read back: a bug
    };
    /// One transaction: all of the batch or, on an error, nothing.
    std::expected<Written, DatabaseError> write(const Batch& batch);

  private:
    explicit Writer(Database& database) : database_(&database) {}
    std::expected<void, DatabaseError> insert_all(const Batch& batch, Written& written);
    std::expected<void, DatabaseError> insert_cases(const Block& block, Written& written);
    std::expected<void, DatabaseError> insert_successes(const Block& block, Written& written);
    std::expected<void, DatabaseError> split_successes(const Block& block, Written& written);
    std::expected<void, DatabaseError> insert_row(const Block& block);

    Database* database_;
    int64_t next_block_ = 1;
    Statement insert_case_;
    Statement insert_place_;
    Statement insert_block_;
};

}  // namespace edgecase::store
