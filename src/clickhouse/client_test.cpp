#include "clickhouse/client.hpp"

#include <gtest/gtest.h>

namespace edgecase::clickhouse {
namespace {

using Parameters = Client::Parameters;
using enum Client::Repeated;

TEST(InsertSettings, are_those_that_the_release_knows) {
    EXPECT_EQ(insert_settings(18'016, left_out), Parameters{});
    EXPECT_EQ(insert_settings(18'016, inserted), (Parameters{{"insert_deduplicate", "0"}}));
    EXPECT_EQ(insert_settings(21'010, left_out), Parameters{});
    EXPECT_EQ(insert_settings(21'011, left_out), (Parameters{{"async_insert", "0"}}));
    EXPECT_EQ(insert_settings(26'001, inserted),
              (Parameters{{"async_insert", "0"}, {"insert_deduplicate", "0"}}));
    EXPECT_EQ(insert_settings(26'002, left_out), (Parameters{{"async_insert", "0"}}));
    EXPECT_EQ(insert_settings(26'002, inserted), (Parameters{{"async_insert", "0"},
                                                             {"insert_deduplicate", "0"},
                                                             {"deduplicate_insert", "disable"}}));
}

}  // namespace
}  // namespace edgecase::clickhouse
