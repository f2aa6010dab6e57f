#include "store/outbox.hpp"

#include <gtest/gtest.h>

#include <set>

#include "record/binary.hpp"
#include "record/ray_time.hpp"
#include "store/files.hpp"
#include "store/store.hpp"
#include "store/test_support.hpp"

namespace edgecase::store {
namespace {

using Kind = Parcel::Kind;

/// Young enough to be kept.
record::RayId ray_of(uint64_t number) {
    static const uint64_t first = record::first_ray_at(wall_now()).value();
    return record::RayId(first + number);
}

std::vector<uint64_t> rays_of(const Parcel& parcel) {
    std::vector<uint64_t> rays;
    for (record::BlockReader reader(parcel.bytes); const auto ray = reader.peek(); reader.skip()) {
        rays.push_back(ray->value() - ray_of(0).value());
    }
    return rays;
}

class OutboxTest : public testing::Test {
  protected:
    void SetUp() override {
        StoreOptions options = options_of(directory_.path(), lines_);
        options.ships = true;
        auto opened = Store::open(options);
        ASSERT_TRUE(opened);
        store_ = std::move(*opened);
    }
    void write(uint64_t first, uint64_t last, bool cases) {
        const auto sink = store_->make_sink();
        const uint64_t before = store_->counters().records_written;
        for (uint64_t ray = first; ray <= last; ++ray) {
            sink->write(cases ? case_record(ray_of(ray)) : success_record(ray_of(ray)));
        }
        sink->flush();
        ASSERT_TRUE(eventually(
            [&] { return store_->counters().records_written == before + last - first + 1; }));
    }
    Outbox open() const {
        auto outbox = Outbox::open(directory_.path());
        EXPECT_TRUE(outbox);
        return std::move(*outbox);
    }

    TemporaryDirectory directory_;
    Lines lines_;
    std::unique_ptr<Store> store_;
};

TEST_F(OutboxTest, gives_everything_once_in_the_order_of_storing) {
    write(1, 5, true);
    write(6, 9, false);
    Outbox outbox = open();
    const auto cases = outbox.next(Kind::cases, 1 << 20);
    ASSERT_TRUE(cases);
    EXPECT_EQ(rays_of(*cases), (std::vector<uint64_t>{1, 2, 3, 4, 5}));
    ASSERT_TRUE(outbox.sending(*cases, "one"));
    EXPECT_TRUE(outbox.next(Kind::cases, 1 << 20)->empty());
    const auto successes = outbox.next(Kind::successes, 1 << 20);
    ASSERT_TRUE(successes);
    EXPECT_EQ(rays_of(*successes), (std::vector<uint64_t>{6, 7, 8, 9}));
    EXPECT_EQ(successes->records, 4u);
    write(10, 10, true);
    EXPECT_EQ(rays_of(*outbox.next(Kind::cases, 1 << 20)), (std::vector<uint64_t>{10}));
}

TEST_F(OutboxTest, a_parcel_is_given_again_until_it_is_acknowledged_over_a_restart) {
    write(1, 3, true);
    Parcel parcel;
    {
        Outbox outbox = open();
        parcel = *outbox.next(Kind::cases, 1 << 20);
        ASSERT_TRUE(outbox.sending(parcel, "one"));
    }
    Outbox outbox = open();
    auto sent = outbox.sent();
    ASSERT_TRUE(sent);
    ASSERT_EQ(sent->size(), 1u);
    EXPECT_EQ(sent->front().where, "one");
    EXPECT_EQ(sent->front().records, 3u);
    EXPECT_EQ(rays_of(*outbox.again(sent->front())), (std::vector<uint64_t>{1, 2, 3}));
    EXPECT_EQ(outbox.waiting()->cases, 3u);
    ASSERT_TRUE(outbox.came_back(parcel));
    EXPECT_EQ(outbox.sent()->front().where, "");
    ASSERT_TRUE(outbox.acknowledged(parcel));
    EXPECT_TRUE(outbox.sent()->empty());
    EXPECT_EQ(outbox.waiting()->cases, 0u);
}

TEST_F(OutboxTest, a_place_is_never_given_to_another_record) {
    write(1, 3, false);
    {
        Outbox outbox = open();
        ASSERT_TRUE(outbox.sending(*outbox.next(Kind::successes, 1 << 20), "one"));
    }
    store_.reset();
    {
        auto database = Database::open(directory_.path() / "records.sqlite", Database::Mode::write);
        ASSERT_TRUE(database && database->run("DELETE FROM blocks"));
    }
    SetUp();
    write(4, 5, false);
    Outbox outbox = open();
    EXPECT_EQ(rays_of(*outbox.next(Kind::successes, 1 << 20)), (std::vector<uint64_t>{4, 5}));
}

TEST_F(OutboxTest, failures_recorded_before_there_was_a_ledger_are_given_out_in_their_order) {
    write(1, 3, true);
    store_.reset();
    {
        auto database = Database::open(directory_.path() / kFileName, Database::Mode::write);
        ASSERT_TRUE(database && database->run("DROP TABLE case_order"));
    }
    SetUp();
    write(4, 4, true);
    Outbox outbox = open();
    EXPECT_EQ(rays_of(*outbox.next(Kind::cases, 1 << 20)), (std::vector<uint64_t>{1, 2, 3, 4}));
}

TEST_F(OutboxTest, parcels_are_of_about_the_wanted_size) {
    write(1, 100, true);
    Outbox outbox = open();
    std::set<uint64_t> rays;
    size_t parcels = 0;
    while (true) {
        const auto parcel = outbox.next(Kind::cases, 2000);
        ASSERT_TRUE(parcel);
        if (parcel->empty()) break;
        ++parcels;
        EXPECT_LT(parcel->bytes.size(), 4000u);
        for (const uint64_t ray : rays_of(*parcel)) EXPECT_TRUE(rays.insert(ray).second);
        ASSERT_TRUE(outbox.sending(*parcel, "one"));
        ASSERT_TRUE(outbox.acknowledged(*parcel));
    }
    EXPECT_GT(parcels, 3u);
    EXPECT_EQ(rays.size(), 100u);
}

}  // namespace
}  // namespace edgecase::store
