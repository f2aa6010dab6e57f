// Owns times as ClickHouse's DateTime has them: seconds since 1970.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "base/clock.hpp"

namespace edgecase::clickhouse {

/// Without its fraction; what a DateTime cannot hold becomes its first or last.
inline uint32_t seconds_of(base::WallTime time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
    return static_cast<uint32_t>(std::clamp<int64_t>(seconds, 0, UINT32_MAX));
}

inline base::WallTime time_of(uint32_t seconds) {
    return base::WallTime(std::chrono::seconds(seconds));
}

}  // namespace edgecase::clickhouse
