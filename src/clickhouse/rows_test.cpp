#include "clickhouse/rows.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "clickhouse/client.hpp"
#include "clickhouse/row_binary.hpp"
#include "clickhouse/windows.hpp"
#include "record/fields.hpp"

namespace edgecase::clickhouse {
namespace {

TEST(Rows, columns_in_the_style_of_logpush_are_fields_of_a_record) {
    for (const Column& column : columns()) {
        if (column.name.front() >= 'a') continue;  // our own, snake_case
        EXPECT_TRUE(std::ranges::any_of(record::fields(), [&](const record::Field& field) {
            return field.name == column.name;
        })) << column.name;
    }
}

record::RollupKeyView kind(std::string_view host, uint16_t edge_status = 200) {
    return {.host = host, .label = "o", .edge_status = edge_status};
}

/// Hosts that nobody else has, as many as are told apart.
void fill(KindLimiter& limiter, int64_t minute) {
    for (size_t i = 0; i < KindLimiter::kMaximumKinds; ++i) {
        EXPECT_TRUE(limiter.knows(minute, kind("host" + std::to_string(i))));
    }
}

TEST(Rows, hosts_that_clients_make_up_share_a_name_in_each_minute) {
    KindLimiter limiter;
    fill(limiter, 1);
    EXPECT_FALSE(limiter.knows(1, kind("one more")));
    EXPECT_TRUE(limiter.knows(1, kind("host7")));
    EXPECT_FALSE(limiter.knows(1, kind("host7", 500))) << "of another status it is another kind";
    EXPECT_TRUE(
        limiter.knows(1, {.family = record::RollupFamily::path, .host = "one more", .label = "/"}));
    EXPECT_TRUE(limiter.knows(2, kind("one more")));
}

TEST(Rows, records_of_several_minutes_in_turn_do_not_open_the_limit_of_kinds) {
    KindLimiter limiter;
    fill(limiter, 1);
    fill(limiter, 2);
    for (int i = 0; i < 10; ++i) {
        const std::string host = "more" + std::to_string(i);
        EXPECT_FALSE(limiter.knows(1, kind(host)));
        EXPECT_FALSE(limiter.knows(2, kind(host)));
    }
    // Failures of now, while successes of an hour ago drain.
    for (int64_t minute = 60; minute < 120; ++minute) {
        EXPECT_TRUE(limiter.knows(minute, kind("a")));
        EXPECT_FALSE(limiter.knows(1, kind("one more")));
    }
}

TEST(Rows, credentials_do_not_leave_the_machine_unless_wanted) {
    record::Record record;
    record.uri = "/pay?token=tok-4711";
    record.referer = "https://user:pass-4711@shop.example/";
    record.evidence.add("header_line", std::string("Set-Cookie: sid=cookie-4711"));
    for (const bool redacts : {true, false}) {
        std::string rows;
        RowMaker("fra-1", redacts).append(rows, record, 1);
        for (const char* const secret : {"tok-4711", "pass-4711", "cookie-4711"}) {
            EXPECT_EQ(rows.contains(secret), !redacts) << secret;
        }
    }
}

TEST(RowBinary, gives_back_what_was_written_and_stops_at_damage) {
    std::string bytes;
    RowWriter writer(bytes);
    const std::string text(300, '\xff');
    writer.number(uint64_t{1} << 63);
    writer.text(text);
    writer.number(int64_t{-1});
    RowReader reader(bytes);
    EXPECT_EQ(reader.number<uint64_t>(), uint64_t{1} << 63);
    EXPECT_EQ(reader.text(), text);
    EXPECT_EQ(reader.number<int64_t>(), -1);
    EXPECT_TRUE(reader.empty());
    EXPECT_FALSE(reader.failed());
    for (size_t size = 0; size < bytes.size(); ++size) {
        RowReader cut(std::string_view(bytes).substr(0, size));
        (void)cut.number<uint64_t>();
        (void)cut.text();
        (void)cut.number<int64_t>();
        EXPECT_TRUE(cut.failed()) << size;
    }
    RowReader endless("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff");
    EXPECT_EQ(endless.text(), "");
    EXPECT_TRUE(endless.failed());
}

TEST(Literal, has_no_byte_that_ends_it) {
    std::string all;
    for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
    const std::string text = literal(all);
    EXPECT_EQ(std::ranges::count(text, '\''), 2);
    EXPECT_EQ(literal("a'b\\"), R"('a\x27b\x5C')");
}

TEST(Windows, hold_what_fits_into_memory) {
    const std::vector<Minute> minutes{
        {.start = 1'790'000'040, .records = 10},
        {.start = 1'790'000'100, .records = kWindowRecords - 10},
        {.start = 1'790'000'160, .records = 1},
        {.start = 1'790'000'220, .records = kWindowRecords * 5 + 1},
        {.start = 1'790'000'280, .records = 1},
    };
    const auto windows = windows_of(minutes);
    ASSERT_EQ(windows.size(), 1u + 1u + 6u + 1u);
    EXPECT_EQ(windows[0].since, 1'790'000'040u);
    EXPECT_EQ(windows[0].until, 1'790'000'160u);
    // Nothing twice, nothing left out.
    for (size_t i = 1; i < windows.size(); ++i) {
        EXPECT_EQ(windows[i].first, windows[i - 1].last + 1) << i;
    }
    EXPECT_EQ(windows.back().until, 1'790'000'340u);
}

constexpr uint32_t kTen = 1'790'000'040;  // a full minute
base::WallTime at(uint32_t seconds) {
    return base::WallTime(std::chrono::seconds(seconds));
}

TEST(Windows, of_a_busy_ledger_the_newest_records_are_taken_and_not_those_of_a_few_seconds) {
    const std::vector<Minute> minutes{
        {.start = kTen, .records = 1000},
        {.start = kTen + 60, .records = 1000},
        {.start = kTen + 120, .records = 50},
    };
    const base::WallTime now = at(kTen + 123);
    EXPECT_EQ(start_of_newest(minutes, 300, now), at(kTen + 120 - 15));
    EXPECT_EQ(start_of_newest(minutes, 1550, now), at(kTen + 60 - 30));
    EXPECT_EQ(start_of_newest(minutes, 1050, now), at(kTen + 60));
    EXPECT_EQ(start_of_newest(minutes, 10'000, now), base::WallTime{});
    // Of the minute that is not over yet.
    EXPECT_EQ(start_of_newest(minutes, 25, now), now - std::chrono::milliseconds(1500));
}

TEST(Windows, an_edge_whose_clock_is_ahead_does_not_take_the_place_of_the_others) {
    std::vector<Minute> minutes{
        {.start = kTen, .records = 1000},
        {.start = kTen + 3600, .records = 1'000'000},
    };
    leave_out_future(minutes, at(kTen + 50));
    ASSERT_EQ(minutes.size(), 1u);
    EXPECT_EQ(start_of_newest(minutes, 500, at(kTen + 50)), at(kTen + 25));
}

}  // namespace
}  // namespace edgecase::clickhouse
