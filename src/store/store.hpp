// Owns the SQLite store: a writer thread fed by bounded queues, and readers of the same file.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "record/sink.hpp"
#include "record/source.hpp"

namespace edgecase::store {

struct StoreOptions {
    std::filesystem::path data_dir;  // the file is data_dir/records.sqlite
    bool successes = true;           // false: they are counted, but leave no record
    bool ships = false;  // an Outbox is read: what goes before it was shipped is counted
    std::chrono::hours retention_age{24 * 7};
    uint64_t retention_bytes = 1ull << 30;  // of the database file
    /// Blocks of successes (64 KiB each) that may wait for the writer; more are dropped and
    /// counted.
    size_t queue_blocks = 256;
    /// Cases that may wait; beyond that they too are dropped, counted and logged.
    size_t queue_cases = 65536;
    /// Where the store says that something is wrong (disk full, drops): one line each,
    /// rate-limited.
    std::function<void(const std::string&)> log;
};

struct StoreCounters {
    uint64_t records_written = 0;
    uint64_t cases_written = 0;
    uint64_t successes_dropped = 0;
    uint64_t cases_dropped = 0;
    uint64_t write_errors = 0;
    uint64_t rows_expired = 0;
    uint64_t unshipped = 0;           // records removed before the other ledger had them
    uint64_t requests_uncounted = 0;  // that the rollups lack, the file having been away too long
};

/// The writing side, one per process.
class Store {
  public:
    /// Errors: a sentence naming the path (unwritable, not a directory, not our database).
    static std::expected<std::unique_ptr<Store>, std::string> open(StoreOptions options);
    virtual ~Store() = default;  // closes it

    /// A sink for one worker thread; must not outlive the store.
    virtual std::unique_ptr<record::Sink> make_sink() = 0;
    virtual StoreCounters counters() const = 0;
    /// Writes what was handed over, and ends the writer thread. The sinks must be gone.
    virtual void close() = 0;
};

/// The reading side, for the same or another process.
/// Errors: a sentence (no such directory, no store in it, unreadable).
std::expected<std::unique_ptr<record::Source>, std::string> open_source(
    const std::filesystem::path& data_dir);

}  // namespace edgecase::store
