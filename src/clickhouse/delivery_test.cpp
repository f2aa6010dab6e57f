#include "clickhouse/delivery.hpp"

#include <gtest/gtest.h>

#include "base/byte_buffer.hpp"
#include "record/binary.hpp"
#include "record/ray_id.hpp"
#include "store/test_support.hpp"

namespace edgecase::clickhouse {
namespace {

/// `blocks` of ten records each, as a store keeps successes.
store::Parcel parcel_of(size_t blocks) {
    store::Parcel parcel;
    parcel.kind = Kind::successes;
    record::RayIdMaker maker(1, 0);
    for (size_t block = 0; block < blocks; ++block) {
        base::ByteBuffer bytes;
        for (int i = 0; i < 10; ++i) {
            const auto now = store::wall_now();
            record::encode(bytes, store::success_record(maker.make(now), now));
        }
        parcel.rows.push_back({.bytes = bytes.view().size(), .records = 10});
        parcel.bytes += bytes.view();
        parcel.records += 10;
    }
    return parcel;
}

uint64_t records_in(const Batch& batch) {
    uint64_t records = 0;
    for (const auto& [number, day] : batch.days) records += day.records;
    return records;
}

TEST(Batch, damage_to_one_block_costs_its_records_and_not_the_blocks_behind_it) {
    store::Parcel parcel = parcel_of(5);
    RowMaker rows("fra-1", true);
    const Batch whole = make_batch(7, parcel, rows);
    EXPECT_EQ(records_in(whole), 50u);
    EXPECT_EQ(whole.unreadable, 0u);
    // The size of the second block's first record.
    parcel.bytes.replace(parcel.rows[0].bytes, 4, "\xff\xff\xff\x7f");
    const Batch batch = make_batch(7, parcel, rows);
    EXPECT_EQ(records_in(batch), 40u);
    EXPECT_EQ(batch.unreadable, 10u);
}

}  // namespace
}  // namespace edgecase::clickhouse
