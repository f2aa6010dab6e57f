#include "base/statistics.hpp"

#include <gtest/gtest.h>

namespace edgecase::base {
namespace {

TEST(StatisticsTest, fishers_tea_has_the_value_of_the_book) {
    EXPECT_NEAR(fisher_exact({3, 4, 1, 4}), 0.485714, 1e-6);
    EXPECT_NEAR(fisher_exact({1, 10, 11, 14}), 0.002759, 1e-6);
    EXPECT_NEAR(fisher_exact({10, 10, 0, 10}), 1.0825e-5, 1e-9);
}

TEST(StatisticsTest, alike_groups_and_empty_ones_show_nothing) {
    EXPECT_DOUBLE_EQ(fisher_exact({0, 20, 0, 20}), 1);
    EXPECT_DOUBLE_EQ(fisher_exact({5, 5, 0, 0}), 1);
    EXPECT_NEAR(fisher_exact({5, 20, 5, 20}), 1, 1e-9);
}

TEST(StatisticsTest, wilsons_interval_is_inside_zero_and_one_and_holds_the_rate) {
    EXPECT_NEAR(wilson(0, 30).high, 0.1135, 1e-3);
    EXPECT_DOUBLE_EQ(wilson(0, 30).low, 0);
    EXPECT_NEAR(wilson(15, 30).low, 0.3315, 1e-3);
    EXPECT_NEAR(wilson(15, 30).high, 0.6685, 1e-3);
    EXPECT_DOUBLE_EQ(wilson(0, 0).high, 1);
}

}  // namespace
}  // namespace edgecase::base
