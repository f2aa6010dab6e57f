// Owns the delivery of one batch to one server: its rows, and whether they arrived.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "clickhouse/client.hpp"
#include "clickhouse/rows.hpp"
#include "clickhouse/schema.hpp"

namespace edgecase::clickhouse {

/// The rows of a batch that belong to one day. ClickHouse takes or refuses the rows of one
/// partition as a whole, so whether they are there can be seen by any one of them.
struct DayRows {
    std::string rows;
    uint64_t records = 0;
    record::RayId any;
    record::RayId first;  // the lowest
    record::RayId last;
    std::set<uint32_t> ends;  // minutes in which they ended, seconds since 1970
};
struct Batch {
    Kind kind = Kind::cases;
    uint64_t id = 0;  // of its edge
    std::string node;
    std::map<int64_t, DayRows> days;  // since 1970, UTC
    uint64_t unreadable = 0;          // records of the parcel that are not in it
};

/// Damaged records are left out and counted. `id`: the same for the same batch, another for any
/// other of that edge.
Batch make_batch(uint64_t id, const store::Parcel& parcel, RowMaker& maker);

struct Delivered {
    bool was_there = false;  // rows were found that an earlier try had brought
};
/// Inserts what is not there yet. `perhaps`: the server may have parts of it, of the rows or of
/// what its views make of them. Errors: some of it may be there, unless it is `unreachable` and
/// `perhaps` was false.
std::expected<Delivered, QueryError> deliver(Client& client, size_t server, const Batch& batch,
                                             bool perhaps);

/// Whether the server says that no part of the batch is there, nor on its way into the tables.
bool has_nothing(Client& client, size_t server, const Batch& batch);

}  // namespace edgecase::clickhouse
