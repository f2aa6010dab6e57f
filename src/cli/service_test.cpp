#include <gtest/gtest.h>

#include "cause/table.hpp"
#include "edge/counters.hpp"

namespace edgecase::cli {
namespace {

// The edge counts a cause at its number; two that shared a place would be counted as one.
TEST(Service, every_cause_has_a_counter_of_its_own) {
    for (const cause::Row& row : cause::table()) {
        EXPECT_LT(static_cast<size_t>(row.cause), edge::Counters::kCauses) << row.name;
    }
}

}  // namespace
}  // namespace edgecase::cli
