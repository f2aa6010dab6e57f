#include <gtest/gtest.h>

#include "probe/round_number.hpp"
#include "probe/trial.hpp"

namespace edgecase::probe {
namespace {

using cause::Cause;
using std::chrono::milliseconds;

Trial ended(Cause cause, milliseconds after) {
    Trial trial;
    trial.failure.emplace(cause, cause::Evidence());
    trial.attempt.total_us = after.count() * 1000;
    return trial;
}

TEST(RoundNumberTest, an_end_after_ten_seconds_is_a_timeout_at_the_origin) {
    EXPECT_EQ(round_number_end(ended(Cause::resp_empty_fin, milliseconds(10'030))),
              milliseconds(10'000));
    EXPECT_EQ(round_number_end(ended(Cause::resp_empty_rst, milliseconds(60'900))),
              milliseconds(60'000));
}

TEST(RoundNumberTest, other_times_and_our_own_limits_are_not) {
    EXPECT_EQ(round_number_end(ended(Cause::resp_empty_fin, milliseconds(12'300))), std::nullopt);
    EXPECT_EQ(round_number_end(ended(Cause::resp_empty_fin, milliseconds(40))), std::nullopt);
    EXPECT_EQ(round_number_end(ended(Cause::time_first_byte, milliseconds(10'000))), std::nullopt);
    EXPECT_EQ(round_number_end(Trial()), std::nullopt);
}

TEST(TrialTest, a_5xx_of_the_origin_is_a_cause_and_a_404_is_none) {
    Trial trial;
    trial.answer.status = 502;
    EXPECT_EQ(trial.cause(), Cause::origin_status);
    trial.answer.status = 404;
    EXPECT_FALSE(trial.failed());
}

}  // namespace
}  // namespace edgecase::probe
