#include "h2/frame_log.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace edgecase::h2 {
namespace {

TEST(H2FrameLog, lines_name_types_and_flags) {
    FrameLog log;
    EXPECT_TRUE(log.lines().empty());
    log.add({.sent = false, .type = 1, .flags = 5, .stream_id = 1, .length = 12});
    log.add({.sent = true, .type = 4, .flags = 1});
    log.add({.sent = true, .type = 7, .length = 8, .error_code = 11});
    ASSERT_EQ(log.lines().size(), 3U);
    EXPECT_EQ(log.lines()[0], "< HEADERS stream 1 flags 0x05 (END_STREAM END_HEADERS) length 12");
    EXPECT_EQ(log.lines()[1], "> SETTINGS stream 0 flags 0x01 (ACK) length 0");
    EXPECT_EQ(log.lines()[2], "> GOAWAY stream 0 flags 0x00 length 8 ENHANCE_YOUR_CALM");
}

TEST(H2FrameLog, only_the_last_are_kept_oldest_first) {
    FrameLog log;
    for (uint32_t i = 1; i <= 30; ++i) log.add({.stream_id = i});
    ASSERT_EQ(log.lines().size(), FrameLog::kKept);
    EXPECT_EQ(log.lines().front(), "< DATA stream 7 flags 0x00 length 0");
    EXPECT_EQ(log.lines().back(), "< DATA stream 30 flags 0x00 length 0");
    EXPECT_EQ(log.count(), 30U);
}

}  // namespace
}  // namespace edgecase::h2
