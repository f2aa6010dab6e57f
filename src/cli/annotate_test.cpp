#include "cli/annotate.hpp"

#include <gtest/gtest.h>

namespace edgecase::cli {
namespace {

TEST(Annotate, a_line_that_says_something_is_followed_by_what_it_means) {
    EXPECT_EQ(annotated("socket error: ECONNREFUSED", false),
              "socket error: ECONNREFUSED\n"
              "    ^ 111: RST, or ICMP port-unreachable, for a SYN. "
              "[connect.refused connect.rejected]\n");
}

TEST(Annotate, other_lines_stay_as_they_are) {
    EXPECT_EQ(annotated("all is well", false), "all is well\n");
    EXPECT_EQ(annotated("", false), "\n");
}

TEST(Annotate, no_line_speaks_to_the_terminal) {
    const std::string text = annotated("\x1b]0;owned\x07 ECONNRESET\r\x9b", false);
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_EQ(text.find('\x07'), std::string::npos);
    EXPECT_EQ(text.find('\r'), std::string::npos);
    EXPECT_EQ(text.find('\x9b'), std::string::npos);
}

}  // namespace
}  // namespace edgecase::cli
