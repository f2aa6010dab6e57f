#include "admin/message.hpp"

#include <gtest/gtest.h>

namespace edgecase::admin {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

TEST(AdminMessage, a_target_is_split_and_decoded) {
    Request request;
    ASSERT_TRUE(parse_target("/api/cases?host=a%2Fb&path=/x+y&empty=&flag&&host=second", request));
    EXPECT_EQ(request.path, "/api/cases");
    EXPECT_EQ(request.parameter("host"), "a/b");
    EXPECT_EQ(request.parameter("path"), "/x y");
    EXPECT_EQ(request.parameter("flag"), "");
    EXPECT_EQ(request.parameter("none"), "");
}

TEST(AdminMessage, what_is_badly_encoded_is_refused) {
    for (const std::string_view target :
         {"", "api", "*", "/%", "/%4", "/%zz", "/%00", "/x?a=%", "/x?%g=1", "/%-1"}) {
        Request request;
        EXPECT_FALSE(parse_target(target, request)) << target;
    }
}

TEST(AdminMessage, times_are_rfc_3339_or_durations_back_from_now) {
    const base::WallTime now{std::chrono::sys_days(std::chrono::year(2026) / 11 / 24) + hours(12)};
    EXPECT_EQ(parse_time("15m", now), now - minutes(15));
    EXPECT_EQ(parse_time("7d", now), now - hours(7 * 24));
    EXPECT_EQ(parse_time("2026-11-24T12:00:00Z", now), now);
    EXPECT_EQ(parse_time("2026-11-24t12:00:00.25z", now), now + std::chrono::milliseconds(250));
    EXPECT_EQ(parse_time("2026-11-24T13:00:00+01:00", now), now);
    for (const std::string_view text :
         {"", "now", "2026-11-24", "2026-13-24T12:00:00Z", "2026-11-31T12:00:00Z",
          "2026-11-24T24:00:00Z", "2026-11-24T12:00:00 now", "-5m"}) {
        EXPECT_EQ(parse_time(text, now), std::nullopt) << text;
    }
}

TEST(AdminMessage, a_span_ends_after_it_began) {
    const base::WallTime now{hours(1'000'000)};
    Request request;
    const auto usual = parse_span(request, now, hours(1));
    ASSERT_TRUE(usual);
    EXPECT_EQ(usual->since, now - hours(1));
    request.parameters = {{"since", "1h"}, {"until", "2h"}};
    EXPECT_FALSE(parse_span(request, now, hours(1)));
    request.parameters = {{"since", "yesterday"}};
    EXPECT_FALSE(parse_span(request, now, hours(1)));
}

}  // namespace
}  // namespace edgecase::admin
