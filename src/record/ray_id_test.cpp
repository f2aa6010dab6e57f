#include "record/ray_id.hpp"

#include <gtest/gtest.h>

#include <set>

namespace edgecase::record {
namespace {

using std::chrono::microseconds;

const base::WallTime kNow{std::chrono::sys_days(std::chrono::year(2026) / 11 / 24)};

TEST(RayId, is_written_as_16_lower_case_hex_digits_and_read_with_or_without_colo) {
    const RayId ray(0x7a1b2c3d4e5f6789);
    EXPECT_EQ(ray.to_string(), "7a1b2c3d4e5f6789");
    EXPECT_EQ(RayId::parse("7a1b2c3d4e5f6789"), ray);
    EXPECT_EQ(RayId::parse("7a1b2c3d4e5f6789-LAB"), ray);
    for (const char* bad : {"", "7a1b", "7A1B2C3D4E5F6789", "7a1b2c3d4e5f6789-", "x"}) {
        EXPECT_FALSE(RayId::parse(bad)) << bad;
    }
}

TEST(RayIdMaker, ids_order_by_time_and_carry_it) {
    RayIdMaker maker(7, 0);
    const RayId first = maker.make(kNow);
    const RayId second = maker.make(kNow + microseconds(100));
    EXPECT_LT(first, second);
    EXPECT_LE(second.time() - (kNow + microseconds(100)), microseconds(8));
}

TEST(RayIdMaker, never_repeats_when_asked_faster_than_the_tick_or_when_the_clock_steps_back) {
    RayIdMaker maker(7, 0);
    std::set<RayId> seen;
    for (int i = 0; i < 1000; ++i) seen.insert(maker.make(kNow));
    for (int i = 0; i < 1000; ++i) seen.insert(maker.make(kNow - std::chrono::hours(1)));
    EXPECT_EQ(seen.size(), 2000u);
}

TEST(RayIdMaker, workers_and_nodes_never_meet) {
    RayIdMaker a(7, 0);
    RayIdMaker b(7, 1);
    RayIdMaker c(8, 0);
    std::set<RayId> seen;
    for (int i = 0; i < 1000; ++i) {
        for (RayIdMaker* maker : {&a, &b, &c}) seen.insert(maker->make(kNow + microseconds(i)));
    }
    EXPECT_EQ(seen.size(), 3000u);
}

}  // namespace
}  // namespace edgecase::record
