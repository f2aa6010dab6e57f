// Owns the dividing of a ledger's records into pieces that fit into memory.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "clickhouse/reading.hpp"
#include "clickhouse/schema.hpp"

namespace edgecase::clickhouse {

/// So many records in one minute, of rays that were made in it.
struct Minute {
    uint32_t start = 0;  // seconds since 1970
    uint64_t records = 0;
};
/// Of one kind from a time on, oldest first. Errors: a sentence.
std::expected<std::vector<Minute>, std::string> count_minutes(Reading& reading, Kind kind,
                                                              base::WallTime since);

/// Without minutes that begin after `now`: a clock is ahead, and what it says would be the newest
/// for as long.
void leave_out_future(std::vector<Minute>& minutes, base::WallTime now);
/// From when on there are about `maximum` records, if those of one minute came evenly. The
/// beginning of time: there are no more.
base::WallTime start_of_newest(const std::vector<Minute>& minutes, uint64_t maximum,
                               base::WallTime now);

/// Rays from `first` to `last`, made in [since, until) seconds since 1970.
struct Window {
    uint64_t first = 0;
    uint64_t last = 0;
    uint32_t since = 0;
    uint32_t until = 0;
};
constexpr uint64_t kWindowRecords = 50'000;
/// About kWindowRecords each: several minutes together, or a part of a full one.
std::vector<Window> windows_of(const std::vector<Minute>& minutes);

/// The condition of a SELECT that wants what lies in it.
std::string condition_of(const Window& window);

/// The lowest ray of a second since 1970.
uint64_t first_ray_of(uint32_t second);

}  // namespace edgecase::clickhouse
