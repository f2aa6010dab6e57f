#include "http/trace_parent.hpp"

#include <gtest/gtest.h>

#include <string>

namespace edgecase::http {
namespace {

const std::string kTrace = "0af7651916cd43dd8448eb211c80319c";
const std::string kSpan = "b7ad6b7169203331";
const std::string kUsual = "00-" + kTrace + "-" + kSpan + "-01";

TEST(TraceParent, what_is_valid_is_read_and_written_the_same) {
    const auto parent = TraceParent::parse(kUsual);
    ASSERT_TRUE(parent);
    EXPECT_EQ(parent->trace_high, 0x0af7651916cd43ddu);
    EXPECT_EQ(parent->trace_low, 0x8448eb211c80319cu);
    EXPECT_EQ(parent->parent, 0xb7ad6b7169203331u);
    EXPECT_EQ(parent->flags, TraceParent::kSampled);
    const auto text = parent->text();
    EXPECT_EQ(std::string(text.begin(), text.end()), kUsual);
}

TEST(TraceParent, flags_that_version_00_does_not_know_are_not_passed_on) {
    const auto parent = TraceParent::parse("00-" + kTrace + "-" + kSpan + "-ff");
    ASSERT_TRUE(parent);
    EXPECT_EQ(parent->flags, TraceParent::kSampled | TraceParent::kRandom);
    EXPECT_EQ(parent->text().back(), '3');
}

TEST(TraceParent, a_later_version_is_continued_in_version_00) {
    for (const std::string& text :
         {"01-" + kTrace + "-" + kSpan + "-01", "01-" + kTrace + "-" + kSpan + "-01-more-of.it",
          "fe-" + kTrace + "-" + kSpan + "-01-"}) {
        const auto parent = TraceParent::parse(text);
        ASSERT_TRUE(parent) << text;
        const auto written = parent->text();
        EXPECT_EQ(std::string(written.begin(), written.end()), kUsual);
    }
}

TEST(TraceParent, what_must_not_be_continued_is_refused) {
    const std::string zeros(32, '0');
    std::string upper = kUsual;
    upper[10] = 'A';
    for (const std::string& text : {std::string(),
                                    std::string("00"),
                                    kUsual.substr(1),
                                    kUsual.substr(0, 54),
                                    kUsual + "-",
                                    kUsual + "-00",
                                    "ff" + kUsual.substr(2),
                                    "ff" + kUsual.substr(2) + "-x",
                                    upper,
                                    "0A" + kUsual.substr(2),
                                    "0x" + kUsual.substr(2),
                                    "00-" + zeros + "-" + kSpan + "-01",
                                    "00-" + kTrace + "-" + zeros.substr(0, 16) + "-01",
                                    "00-" + kTrace + "-" + kSpan + "-0g",
                                    "00_" + kTrace + "-" + kSpan + "-01",
                                    "00-" + kTrace + "_" + kSpan + "-01",
                                    "00-" + kTrace + "-" + kSpan + "_01",
                                    "01" + kUsual.substr(2) + "x",
                                    "00-" + kTrace + "-" + kSpan + "-0 ",
                                    kUsual + "," + kUsual}) {
        EXPECT_FALSE(TraceParent::parse(text)) << text;
    }
}

}  // namespace
}  // namespace edgecase::http
