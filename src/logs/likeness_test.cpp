#include <gtest/gtest.h>

#include <algorithm>

#include "logs/likeness_window.hpp"

namespace edgecase::logs {
namespace {

constexpr int64_t kSecond = 1'000'000;

/// What InOrder makes of times that a file has in this order.
std::vector<LogTime> put_in_order(const std::vector<LogTime>& times,
                                  size_t maximum_bytes = SIZE_MAX) {
    FileOrder order;
    for (const LogTime time : times) order.add(time, time);
    InOrder<LogTime> in_order(order.disorder_us(), maximum_bytes);
    std::vector<LogTime> given;
    for (const LogTime time : times) {
        in_order.see(time);
        in_order.put(time, time, sizeof(time));
        while (in_order.is_due()) given.push_back(in_order.take());
    }
    while (!in_order.empty()) given.push_back(in_order.take());
    return given;
}

std::vector<LogTime> every_second(int64_t count) {
    std::vector<LogTime> times;
    for (int64_t i = 0; i < count; ++i) times.push_back(i * kSecond);
    return times;
}

TEST(InOrder, one_line_from_the_future_holds_nothing_up) {
    std::vector<LogTime> times = every_second(1000);
    times.insert(times.begin() + 100, 86'400 * kSecond);
    FileOrder order;
    for (const LogTime time : times) order.add(time, time);
    EXPECT_EQ(order.disorder_us(), 0);
    std::vector<LogTime> sorted = times;
    std::ranges::sort(sorted);
    EXPECT_EQ(put_in_order(times), sorted);
}

TEST(InOrder, lines_newest_first_or_shuffled_come_oldest_first) {
    const std::vector<LogTime> sorted = every_second(1000);
    std::vector<LogTime> falling = sorted;
    std::ranges::reverse(falling);
    EXPECT_EQ(put_in_order(falling), sorted);
    std::vector<LogTime> shuffled;
    for (size_t i = 0; i < sorted.size(); ++i)
        shuffled.push_back(sorted[i - i % 100 + i * 37 % 100]);
    EXPECT_EQ(put_in_order(shuffled), sorted);
}

TEST(InOrder, what_cannot_be_held_comes_too_early_but_comes) {
    std::vector<LogTime> falling = every_second(1000);
    std::ranges::reverse(falling);
    std::vector<LogTime> given = put_in_order(falling, 100 * sizeof(LogTime));
    EXPECT_FALSE(std::ranges::is_sorted(given));
    std::ranges::sort(given);
    EXPECT_EQ(given, every_second(1000));
}

/// Requests of both sides, one each second, without a difference of clocks.
class LikenessWindowTest : public testing::Test {
  protected:
    static Likeness edge(uint64_t ray, int64_t second) {
        Likeness item;
        item.from = item.to = second * kSecond;
        item.key = ray % 1000;
        item.ray = item.id = ray;
        item.edge_status = 520;
        return item;
    }
    static OriginItem origin(uint64_t key, int64_t second) {
        OriginItem item;
        item.likeness.from = item.likeness.to = second * kSecond;
        item.likeness.key = key;
        item.line.time = second * kSecond;
        return item;
    }
    static TracedRay traced(uint64_t ray, int64_t second) {
        TracedRay one;
        one.edge.ray = ray;
        one.edge.start = one.edge.end = second * kSecond;
        return one;
    }
    static Skew no_skew() {
        SkewSample sample;
        for (int64_t i = 0; i < 100; ++i) sample.add(i * kSecond, i * kSecond);
        return sample.estimate();
    }
};

TEST_F(LikenessWindowTest, a_line_that_comes_after_its_time_was_settled_makes_that_time_unsure) {
    const Skew skew = no_skew();
    const LikenessSample sample;
    std::vector<TracedRay> rays{traced(1, 10)};
    LikenessWindow window(rays, {skew, {}, sample, 0});
    window.add(edge(1, 10));
    for (int64_t second = 11; second < 100; ++second) {
        window.add(origin(500, second));
        window.settle_now_and_then();
    }
    window.add(origin(1, 10));
    window.settle_all();
    EXPECT_TRUE(rays[0].lines.empty());
    const auto unsure = window.unsure();
    ASSERT_EQ(unsure.size(), 1u);
    EXPECT_EQ(unsure[0].from, 10 * kSecond);
}

TEST_F(LikenessWindowTest, without_a_known_difference_of_clocks_only_a_key_of_its_own_is_certain) {
    LikenessSample sample;
    std::vector<TracedRay> rays{traced(1, 10), traced(2, 20)};
    for (const auto& item : {edge(1, 10), edge(2, 20), edge(1002, 40)}) sample.add_edge(item);
    for (const auto& item : {origin(1, 10), origin(2, 20), origin(2, 40)}) {
        sample.add_origin(item.likeness);
    }
    const Skew unknown;
    LikenessWindow window(rays, {unknown, {}, sample, 0});
    for (const auto& item : {edge(1, 10), edge(2, 20), edge(1002, 40)}) window.add(item);
    for (const auto& item : {origin(1, 10), origin(2, 20), origin(2, 40)}) window.add(item);
    window.settle_all();
    EXPECT_EQ(rays[0].outcome, Outcome::matched);
    EXPECT_EQ(rays[1].outcome, Outcome::ambiguous);
}

TEST_F(LikenessWindowTest, a_line_with_another_requests_ray_is_nobody_elses) {
    const Skew skew = no_skew();
    const LikenessSample sample;
    std::vector<TracedRay> rays{traced(1, 10)};
    LikenessWindow window(rays, {skew, {}, sample, 0});
    window.add(edge(1, 10));
    OriginItem other = origin(1, 10);
    other.likeness.ray = 77;
    window.add(other);
    window.settle_all();
    EXPECT_TRUE(rays[0].lines.empty());
}

TEST_F(LikenessWindowTest, an_entry_delivered_twice_needs_one_line) {
    const Skew skew = no_skew();
    const LikenessSample sample;
    std::vector<TracedRay> rays{traced(1, 10)};
    LikenessWindow window(rays, {skew, {}, sample, 0});
    window.add(edge(1, 10));
    window.add(edge(1, 10));
    window.add(origin(1, 10));
    window.settle_all();
    EXPECT_EQ(rays[0].outcome, Outcome::matched);
    EXPECT_EQ(rays[0].confidence, 1);
}

TEST(LikenessSample, keys_that_repeat_tell_the_clocks_apart_unless_they_are_periodic) {
    for (const bool periodic : {false, true}) {
        LikenessSample sample;
        uint64_t random = 1;
        std::vector<Likeness> origins;
        for (int64_t i = 0; i < 1200; ++i) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            Likeness item;
            item.from = item.to = item.first_byte = i * kSecond / 2;
            item.key = (periodic ? static_cast<uint64_t>(i % 100) : (random >> 40) % 100) << 7;
            item.id = static_cast<uint64_t>(i + 1);
            sample.add_edge(item);
            item.from = item.to = item.to + 90 * kSecond;
            origins.push_back(item);
        }
        for (const Likeness& item : origins) sample.add_origin(item);
        const Skew skew = sample.skew(std::nullopt);
        EXPECT_EQ(skew.is_known(), !periodic);
        if (!periodic) EXPECT_NEAR(static_cast<double>(skew.typical_us()), 90e6, 1e6);
    }
}

TEST(LikenessSample, slow_requests_tell_which_end_of_a_request_a_log_has) {
    for (const auto moment : {Moment::start, Moment::end}) {
        LikenessSample sample;
        for (uint64_t i = 0; i < 100; ++i) {
            Likeness item;
            item.from = static_cast<int64_t>(i) * 60 * kSecond;
            item.to = item.first_byte = item.from + (i % 10 == 0 ? 20 : 0) * kSecond;
            item.key = i << 7;
            item.id = i + 1;
            sample.add_edge(item);
            item.from = item.to = moment == Moment::start ? item.from : item.to;
            sample.add_origin(item);
        }
        EXPECT_EQ(sample.moment({}), moment);
    }
    EXPECT_EQ(LikenessSample().moment({}), std::nullopt);
}

}  // namespace
}  // namespace edgecase::logs
