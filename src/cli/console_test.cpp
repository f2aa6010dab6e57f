#include "cli/console.hpp"

#include <gtest/gtest.h>

namespace edgecase::cli {
namespace {

TEST(OneLine, keeps_letters_of_every_alphabet) {
    EXPECT_EQ(one_line("a \"b\" \\ \xc3\xa9 \xe6\xbc\xa2 \xf0\x9f\x99\x82"),
              "a \"b\" \\ \xc3\xa9 \xe6\xbc\xa2 \xf0\x9f\x99\x82");
}

TEST(OneLine, nothing_a_terminal_obeys_gets_through) {
    EXPECT_EQ(one_line("\x1b]0;title\x07"), "\\x1b]0;title\\x07");
    EXPECT_EQ(one_line("a\r\nb\tc\x7f"), "a\\x0d\\x0ab\\x09c\\x7f");
    EXPECT_EQ(one_line(std::string_view("\0", 1)), "\\x00");
    EXPECT_EQ(one_line("\xc2\x9b\x33m"), "\\xc2\\x9b3m") << "C1 as UTF-8";
    EXPECT_EQ(one_line("\x9b\x33m"), "\\x9b3m") << "C1 as a byte";
    EXPECT_EQ(one_line("\xc2\xa0"), "\xc2\xa0") << "the first beyond C1";
    EXPECT_EQ(one_line("\xff\xfe"), "\\xff\\xfe");
    EXPECT_EQ(one_line("\xe2\x80\xaegpj.exe"), "\\xe2\\x80\\xaegpj.exe") << "right to left";
    EXPECT_EQ(one_line("\xe2\x82\xac"), "\xe2\x82\xac");
}

}  // namespace
}  // namespace edgecase::cli
