#include <gtest/gtest.h>

#include "base/ascii.hpp"
#include "base/byte_buffer.hpp"
#include "base/deadline.hpp"
#include "base/duration.hpp"
#include "base/escape.hpp"
#include "base/hex.hpp"
#include "base/percent.hpp"
#include "base/sample.hpp"

namespace edgecase::base {
namespace {

using std::chrono::milliseconds;

TEST(Duration, parses_a_whole_number_with_a_unit) {
    EXPECT_EQ(parse_duration("500ms"), milliseconds(500));
    EXPECT_EQ(parse_duration("2s"), milliseconds(2000));
    EXPECT_EQ(parse_duration("15m"), milliseconds(900'000));
    EXPECT_EQ(parse_duration("1h"), milliseconds(3'600'000));
    EXPECT_EQ(parse_duration("7d"), milliseconds(604'800'000));
}

TEST(Duration, rejects_everything_else) {
    for (const char* bad : {"", "s", "2", "-1s", "1.5s", "2 s", "2sec", "99999999999h", "+2s"}) {
        EXPECT_FALSE(parse_duration(bad)) << bad;
    }
}

TEST(Duration, formats_to_the_shortest_exact_form) {
    EXPECT_EQ(format_duration(milliseconds(1500)), "1500ms");
    EXPECT_EQ(format_duration(milliseconds(900'000)), "15m");
    EXPECT_EQ(format_duration(milliseconds(0)), "0s");
}

TEST(Percent, is_short_and_never_rounded_to_a_lie) {
    EXPECT_EQ(percent(0), "0 %");
    EXPECT_EQ(percent(1), "100 %");
    EXPECT_EQ(percent(0.99999), "> 99.9 %");
    EXPECT_EQ(percent(0.00001), "< 0.01 %");
    EXPECT_EQ(percent(0.02), "2 %");
    EXPECT_EQ(percent(0.0251), "2.5 %");
    EXPECT_EQ(percent(0.0004), "0.04 %");
    EXPECT_EQ(percent(1.0 / 3), "33.3 %");
}

TEST(Hex, round_trips_and_rejects_upper_case) {
    const auto text = hex16(0x7a1b2c3d4e5f6789);
    EXPECT_EQ(std::string_view(text.data(), 16), "7a1b2c3d4e5f6789");
    EXPECT_EQ(parse_hex16("7a1b2c3d4e5f6789"), 0x7a1b2c3d4e5f6789u);
    EXPECT_FALSE(parse_hex16("7A1b2c3d4e5f6789"));
    EXPECT_FALSE(parse_hex16("7a1b"));
}

TEST(Escape, shows_every_byte_as_printable_ascii) {
    EXPECT_EQ(escape("a\r\n\t\\\"\x01\xff"), "a\\r\\n\\t\\\\\\\"\\x01\\xff");
}

TEST(Deadline, saturates_instead_of_overflowing) {
    const SteadyTime now{std::chrono::hours(1)};
    EXPECT_TRUE(Deadline::after(now, Duration::max()).is_never());
    EXPECT_TRUE(Deadline::after(now, Duration::zero()).passed(now));
    EXPECT_FALSE(Deadline::never().passed(now));
}

TEST(Sample, caret_points_at_the_escaped_position) {
    const Sample sample = cut_sample(std::string_view("X: a\0b\r\n", 8), 4, 0);
    EXPECT_EQ(caret_lines(sample), "X: a\\x00b\\r\\n\n    ^");
}

TEST(Sample, redaction_hides_cookie_values_and_keeps_names_and_sizes) {
    const std::string text = "Set-Cookie: id=secret\x01\r\nServer: x\r\n";
    const Sample shown = redact(cut_sample(text, text.find('\x01'), 0));
    EXPECT_EQ(shown.bytes.find("secret"), std::string::npos);
    EXPECT_NE(shown.bytes.find("Set-Cookie:<11 bytes redacted>\r\nServer: x"), std::string::npos);
    EXPECT_EQ(shown.error_offset, 11u);
}

TEST(Sample, redaction_hides_a_value_whose_name_was_cut_off) {
    const std::string text = "Cookie: " + std::string(200, 's') + "\x01\r\n";
    const Sample sample = cut_sample(text, 208, 0, "Cookie");
    EXPECT_EQ(redact(sample).bytes.find('s'), redact(sample).bytes.find("s redacted"));
}

TEST(ByteBuffer, keeps_content_while_it_grows_and_is_consumed) {
    ByteBuffer buffer;
    buffer.append("hello ");
    buffer.append(std::string(5000, 'x'));
    buffer.consume(6);
    EXPECT_EQ(buffer.size(), 5000u);
    buffer.append("end");
    EXPECT_TRUE(buffer.view().ends_with("xend"));
    buffer.consume(5003);
    EXPECT_TRUE(buffer.empty());
}

TEST(Ascii, lists_skip_empty_elements) {
    std::string seen;
    for_each_list_element(" a, ,b ,", [&](std::string_view e) { seen += std::string(e) + "|"; });
    EXPECT_EQ(seen, "a|b|");
}

}  // namespace
}  // namespace edgecase::base
