// Owns the shape of the database file: tables, version, and how a ray is written as a key.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>

#include "record/ray_id.hpp"
#include "store/database.hpp"
#include "store/files.hpp"

namespace edgecase::store {

/// A ray as SQLite's signed integer, with the top bit flipped so that signed order is ray order.
constexpr int64_t key_of(record::RayId ray) {
    return static_cast<int64_t>(ray.value() ^ (uint64_t{1} << 63));
}

/// The slot of time a ray falls into. No row of `blocks` spans two slots, which is what makes the
/// search for a ray short: only rows that end between the ray and its slot's end can hold it.
constexpr unsigned kSlotBits = 37;  // 2^20 ticks of 8 us: 8.4 s
constexpr uint64_t slot_of(record::RayId ray) {
    return ray.value() >> kSlotBits;
}
constexpr record::RayId slot_end(record::RayId ray) {
    return record::RayId(ray.value() | ((uint64_t{1} << kSlotBits) - 1));
}

/// Opens the writing connection, making directory (0700), file (0600) and tables where they lack.
/// A file that was there is written only for the tables it lacks. Permissions laxer than ours are
/// tightened where the owner allows; `log` hears of it. Errors: one sentence that names the path.
std::expected<Database, DatabaseError> open_for_writing(const std::filesystem::path& data_dir,
                                                        const Log& log);

/// Errors: one sentence that names the path.
std::expected<Database, std::string> open_for_reading(const std::filesystem::path& data_dir);

}  // namespace edgecase::store
