// Owns the way of an edge's records from its own store into the ledger.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "clickhouse/settings.hpp"

namespace edgecase::clickhouse {

struct ShipperOptions {
    Settings ledger;
    std::filesystem::path data_dir;  // of the store, which another thread writes
    std::string node;                // this edge's name
    std::string colo;
    std::string version;  // of the program
    unsigned node_id = 0;
    bool redacts = true;  // credentials do not leave the machine
    /// What the store has recorded since the start, and lost before it was shipped.
    std::function<uint64_t()> recorded;
    std::function<uint64_t()> lost;
    /// Where the shipper says that something is wrong: one line each, rate-limited.
    std::function<void(const std::string&)> log;
};

struct ShipperCounters {
    uint64_t shipped = 0;  // records acknowledged by a server
    uint64_t batches = 0;
    uint64_t failures = 0;  // tries that came to nothing
    uint64_t lost = 0;      // records that went from the store while they were on their way
    uint64_t waiting = 0;   // records, when last counted
    bool away = false;      // no server takes anything
};

/// One thread; proxying never waits for it. Failures go before successes. A batch that may have
/// arrived is offered only to the server that may have it, which is asked first.
class Shipper {
  public:
    /// Nothing is asked or opened yet: the ledger may be away, and the store's disk full.
    static std::unique_ptr<Shipper> start(ShipperOptions options);
    /// Ships what is there if that is soon done; the rest is shipped after the next start.
    virtual ~Shipper() = default;
    virtual ShipperCounters counters() const = 0;
};

}  // namespace edgecase::clickhouse
