#include "logs/coverage.hpp"

#include <gtest/gtest.h>

#include "logs/log_files.hpp"
#include "logs/skew.hpp"

namespace edgecase::logs {
namespace {

constexpr int64_t kSecond = 1'000'000;

Coverage coverage_of(std::initializer_list<std::pair<int, int>> spans,
                     int64_t step = kSecond / 10) {
    FileTimes times;
    for (const auto& [from, to] : spans) {
        for (int64_t at = from * kSecond; at <= to * kSecond; at += step) times.add(at);
    }
    return Coverage::of(times.pieces(), times.lines());
}

TEST(Coverage, a_log_speaks_for_the_time_between_its_lines) {
    const Coverage coverage = coverage_of({{100, 200}});
    EXPECT_TRUE(coverage.covers(100 * kSecond, 200 * kSecond));
    EXPECT_FALSE(coverage.covers(99 * kSecond, 101 * kSecond));
    EXPECT_FALSE(coverage.covers(199 * kSecond, 201 * kSecond));
    EXPECT_TRUE(coverage_of({}).empty());
}

TEST(Coverage, a_hole_that_a_log_of_its_rate_never_has_is_a_gap) {
    const Coverage coverage = coverage_of({{100, 200}, {230, 300}});
    ASSERT_EQ(coverage.spans().size(), 2u);
    EXPECT_FALSE(coverage.covers(205 * kSecond, 206 * kSecond));
    EXPECT_TRUE(coverage.covers(231 * kSecond, 232 * kSecond));
}

TEST(Coverage, a_quiet_log_is_not_full_of_gaps) {
    const Coverage coverage = coverage_of({{0, 36'000}}, 300 * kSecond);
    EXPECT_EQ(coverage.spans().size(), 1u);
}

TEST(Coverage, lines_out_of_order_are_no_gap_and_many_holes_need_no_memory) {
    FileTimes times;
    for (int64_t i = 0; i < 1000; ++i) times.add((i % 2 == 0 ? i : i - 3) * kSecond);
    EXPECT_EQ(Coverage::of(times.pieces(), times.lines()).spans().size(), 1u);
    FileTimes holes;
    for (int64_t i = 0; i < 100'000; ++i) holes.add(i * i * kSecond);
    EXPECT_LT(holes.pieces().size(), 5000u);
}

TEST(Coverage, a_log_in_no_order_or_newest_first_covers_from_its_first_to_its_last_moment) {
    FileTimes shuffled;
    FileTimes falling;
    for (int64_t i = 0; i < 6000; ++i) {
        shuffled.add((i - i % 600 + i % 600 * 7 % 600) * kSecond / 10);
        falling.add((5999 - i) * kSecond / 10);
    }
    for (const FileTimes* times : {&shuffled, &falling}) {
        const Coverage coverage = Coverage::of(times->pieces(), times->lines());
        ASSERT_EQ(coverage.spans().size(), 1u);
        EXPECT_EQ(coverage.from(), 0);
        EXPECT_EQ(coverage.to(), 5999 * kSecond / 10);
    }
}

TEST(Coverage, times_that_fall_far_each_line_need_neither_memory_nor_long) {
    FileTimes times;
    for (int64_t i = 0; i < 1'000'000; ++i) times.add(-i * 660 * kSecond);
    EXPECT_LE(times.pieces().size(), FileTimes::kMaximumPieces);
}

TEST(Coverage, a_hole_of_nine_seconds_in_a_log_of_a_thousand_lines_a_second_is_a_gap) {
    EXPECT_EQ(coverage_of({{100, 200}, {209, 300}}, kSecond / 1000).spans().size(), 2u);
    EXPECT_EQ(coverage_of({{100, 200}, {209, 300}}, kSecond / 4).spans().size(), 1u);
}

TEST(Skew, the_difference_that_most_pairs_agree_on) {
    SkewSample sample;
    for (int64_t i = 0; i < 1000; ++i) {
        const LogTime at = i * kSecond;
        const int64_t drift = i * 100;  // 100 ppm
        sample.add(at, at + 7 * kSecond + drift + (i % 3 - 1) * 100'000);
        if (i % 4 == 0) sample.add(at, at + i * 17 * kSecond);  // no pair at all
    }
    const Skew skew = sample.estimate();
    ASSERT_TRUE(skew.is_known());
    EXPECT_NEAR(static_cast<double>(skew.at(0)), 7.02e6, 1e5);
    EXPECT_NEAR(static_cast<double>(skew.at(999 * kSecond)), 7.08e6, 1e5);
    EXPECT_FALSE(SkewSample().estimate().is_known());
}

TEST(LogFiles, rotated_files_have_one_name) {
    for (const auto* name : {"/l/access.log", "/l/access.log.1", "/l/access.log.12.gz",
                             "/l/access.log-20261101", "/l/access.log-2026-11-01.zst"}) {
        EXPECT_EQ(set_name(name), "/l/access.log") << name;
    }
    EXPECT_EQ(set_name("other"), "other");
    EXPECT_EQ(set_name("a/web1"), "a/web1");
}

}  // namespace
}  // namespace edgecase::logs
