#include "store/writer.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "base/ascii.hpp"
#include "record/binary.hpp"
#include "store/schema.hpp"

namespace edgecase::store {
namespace {

using record::BlockReader;
using record::RayId;

constexpr const char* kInsertCase =
    "INSERT OR REPLACE INTO cases (ray, start_ms, edge_status, origin_status, cause, host, path, "
    "bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
constexpr const char* kInsertPlace = "INSERT INTO case_order (ray) VALUES (?1)";
constexpr const char* kInsertBlock =
    "INSERT INTO blocks (first_ray, last_ray, start_ms, end_ms, count, bytes, id) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
// Above all that there was, though none of it may be left: what was shipped is known by its number.
constexpr const char* kNextBlock =
    "SELECT max((SELECT coalesce(max(id), 0) FROM blocks), (SELECT position FROM shipped WHERE "
    "kind = 1)) + 1";

}  // namespace

std::expected<Writer, DatabaseError> Writer::prepare(Database& database) {
    Writer writer(database);
    auto insert_case = database.prepare(kInsertCase);
    if (!insert_case) return std::unexpected(std::move(insert_case.error()));
    auto insert_place = database.prepare(kInsertPlace);
    if (!insert_place) return std::unexpected(std::move(insert_place.error()));
    auto insert_block = database.prepare(kInsertBlock);
    if (!insert_block) return std::unexpected(std::move(insert_block.error()));
    const auto next = database.number(kNextBlock);
    if (!next) return std::unexpected(next.error());
    writer.next_block_ = *next;
    writer.insert_case_ = std::move(*insert_case);
    writer.insert_place_ = std::move(*insert_place);
    writer.insert_block_ = std::move(*insert_block);
    return writer;
}

std::expected<Writer::Written, DatabaseError> Writer::write(const Batch& batch) {
    if (auto begun = database_->run("BEGIN IMMEDIATE"); !begun) {
        return std::unexpected(std::move(begun.error()));
    }
    Written written;
    auto done = insert_all(batch, written);
    if (done) done = database_->run("COMMIT");
    if (!done) {
        // SQLite may have rolled back by itself, then this says so and changes nothing.
        (void)database_->run("ROLLBACK");
        return std::unexpected(std::move(done.error()));
    }
    return written;
}

std::expected<void, DatabaseError> Writer::insert_all(const Batch& batch, Written& written) {
    for (const Block& block : batch.cases) {
        if (auto done = insert_cases(block, written); !done) return done;
    }
    for (const Block& block : batch.successes) {
        if (auto done = insert_successes(block, written); !done) return done;
    }
    return {};
}

std::expected<void, DatabaseError> Writer::insert_cases(const Block& block, Written& written) {
    BlockReader reader(block.bytes.view());
    while (!reader.empty()) {
        const std::string_view bytes = reader.frame();
        const auto record = reader.next();
        if (!record) {
            ++written.unreadable;
            continue;
        }
        const std::string host = base::to_lower(record->host);
        const std::string_view uri = record->uri;
        const auto done = insert_case_.bind(0, key_of(record->ray))
                              .bind(1, record->start.time_since_epoch().count() / 1000)
                              .bind(2, record->edge_status)
                              .bind(3, record->origin_status)
                              .bind(4, static_cast<uint16_t>(record->cause))
                              .bind_text(5, host)
                              .bind_text(6, uri.substr(0, uri.find('?')))
                              .bind_blob(7, bytes)
                              .step();
        if (!done) return std::unexpected(done.error());
        const auto placed = insert_place_.bind(0, key_of(record->ray)).step();
        if (!placed) return std::unexpected(placed.error());
        ++written.cases;
        written.case_bytes += bytes.size();
    }
    return {};
}

std::expected<void, DatabaseError> Writer::insert_successes(const Block& block, Written& written) {
    written.successes += block.count;
    if (slot_of(block.first_ray) == slot_of(block.last_ray)) return insert_row(block);
    return split_successes(block, written);
}

/// A long request brings an old ray into a new block; see slot_of() for why they are parted.
std::expected<void, DatabaseError> Writer::split_successes(const Block& block, Written& written) {
    std::map<uint64_t, Block> slots;
    BlockReader reader(block.bytes.view());
    while (const auto ray = reader.peek()) {
        Block& slot = slots[slot_of(*ray)];
        slot.bytes.append(reader.frame());
        slot.first_ray = slot.count == 0 ? *ray : std::min(slot.first_ray, *ray);
        slot.last_ray = std::max(slot.last_ray, *ray);
        slot.end_ms = block.end_ms;
        ++slot.count;
        reader.skip();
    }
    if (!reader.empty()) ++written.unreadable;
    for (const auto& [number, slot] : slots) {
        if (auto done = insert_row(slot); !done) return done;
    }
    return {};
}

std::expected<void, DatabaseError> Writer::insert_row(const Block& block) {
    const auto done = insert_block_.bind(0, key_of(block.first_ray))
                          .bind(1, key_of(block.last_ray))
                          .bind(2, block.first_ray.time().time_since_epoch().count() / 1000)
                          .bind(3, block.end_ms)
                          .bind(4, static_cast<int64_t>(block.count))
                          .bind_blob(5, block.bytes.view())
                          .bind(6, next_block_)
                          .step();
    if (!done) return std::unexpected(done.error());
    ++next_block_;
    return {};
}

}  // namespace edgecase::store
