#include "record/binary.hpp"

#include <gtest/gtest.h>

#include <random>

#include "record/test_record.hpp"

namespace edgecase::record {
namespace {

std::string encoded(const Record& record) {
    base::ByteBuffer buffer;
    encode(buffer, record);
    return std::string(buffer.view());
}

TEST(Binary, a_record_with_every_field_comes_back_equal) {
    const std::string bytes = encoded(full_record());
    BlockReader reader(bytes);
    const auto record = reader.next();
    ASSERT_TRUE(record) << record.error();
    EXPECT_EQ(*record, full_record());
    EXPECT_TRUE(reader.empty());
}

TEST(Binary, a_default_record_comes_back_equal) {
    const std::string bytes = encoded(Record{});
    const auto record = BlockReader(bytes).next();
    ASSERT_TRUE(record) << record.error();
    EXPECT_EQ(*record, Record{});
}

TEST(Binary, extreme_numbers_come_back_equal) {
    Record record;
    record.ray = RayId(~uint64_t{0});
    record.duration_us = std::numeric_limits<int64_t>::max();
    record.first_byte_us = std::numeric_limits<int64_t>::min();
    record.request_bytes = ~uint64_t{0};
    record.edge_status = 65535;
    record.client = ip::Endpoint{{}, 1};
    record.evidence.add("minimum", std::numeric_limits<int64_t>::min());
    const std::string bytes = encoded(record);
    const auto decoded = BlockReader(bytes).next();
    ASSERT_TRUE(decoded) << decoded.error();
    EXPECT_EQ(*decoded, record);
}

TEST(Binary, texts_are_cut_at_the_maximum) {
    Record record;
    record.uri = "/" + std::string(20000, 'a');
    record.evidence.add("text", std::string(20000, 'b'));
    const std::string bytes = encoded(record);
    const auto decoded = BlockReader(bytes).next();
    ASSERT_TRUE(decoded) << decoded.error();
    EXPECT_EQ(decoded->uri, record.uri.substr(0, kMaximumTextBytes));
    EXPECT_EQ(std::get<std::string>(*decoded->evidence.find("text")).size(), kMaximumTextBytes);
}

TEST(Binary, more_attempts_and_facts_than_the_maximum_are_left_out_and_the_rest_is_readable) {
    Record record;
    record.attempts.resize(kMaximumAttempts + 5);
    for (size_t i = 0; i < kMaximumEvidenceItems + 5; ++i) record.evidence.add("k", int64_t{1});
    record.evidence.add("list", std::vector<std::string>(kMaximumListItems + 5, "x"));
    const std::string bytes = encoded(record);
    const auto decoded = BlockReader(bytes).next();
    ASSERT_TRUE(decoded) << decoded.error();
    EXPECT_EQ(decoded->attempts.size(), kMaximumAttempts);
    EXPECT_EQ(decoded->evidence.items().size(), kMaximumEvidenceItems);
}

TEST(Binary, a_block_is_walked_by_peek_and_skip) {
    base::ByteBuffer buffer;
    for (uint64_t ray = 1; ray <= 3; ++ray) {
        Record record = full_record();
        record.ray = RayId(ray);
        encode(buffer, record);
    }
    BlockReader reader(buffer.view());
    EXPECT_EQ(reader.peek(), RayId(1));
    EXPECT_TRUE(reader.skip());
    EXPECT_EQ(reader.peek(), RayId(2));
    EXPECT_EQ(reader.next()->ray, RayId(2));
    EXPECT_TRUE(reader.skip());
    EXPECT_TRUE(reader.empty());
    EXPECT_FALSE(reader.skip());
    EXPECT_FALSE(reader.peek());
    EXPECT_FALSE(reader.next());
}

TEST(Binary, an_unknown_version_is_a_sentence_and_the_next_record_is_still_read) {
    std::string bytes = encoded(full_record());
    bytes[4] = 9;
    bytes += encoded(full_record());
    BlockReader reader(bytes);
    const auto first = reader.next();
    ASSERT_FALSE(first);
    EXPECT_EQ(first.error(),
              "record 7a1b2c3d4e5f6789 has format version 9, this program knows version 1");
    EXPECT_TRUE(reader.next());
}

TEST(Binary, every_truncation_is_an_error_and_ends_the_walk) {
    const std::string bytes = encoded(full_record());
    for (size_t size = 0; size < bytes.size(); ++size) {
        const std::string cut = bytes.substr(0, size);
        BlockReader reader(cut);
        EXPECT_FALSE(reader.next()) << size;
        EXPECT_TRUE(reader.empty()) << size;
    }
    // The frame whole but its inside cut: the size prefix is made to fit.
    for (size_t size = 13; size < bytes.size(); ++size) {
        std::string cut = bytes.substr(0, size);
        const auto inner = static_cast<uint32_t>(size - 4);
        cut.replace(0, 4, reinterpret_cast<const char*>(&inner), 4);
        BlockReader reader(cut);
        EXPECT_FALSE(reader.next()) << size;
        EXPECT_TRUE(reader.empty()) << size;
    }
}

TEST(Binary, random_damage_never_crashes_and_always_ends) {
    const std::string good = encoded(full_record()) + encoded(full_record());
    std::mt19937_64 random(520);
    for (int round = 0; round < 20000; ++round) {
        std::string bytes = good;
        for (uint64_t flips = 1 + random() % 8; flips > 0; --flips) {
            bytes[random() % bytes.size()] ^= static_cast<char>(1u << random() % 8);
        }
        BlockReader reader(bytes);
        int records = 0;
        while (!reader.empty()) {
            const auto record = reader.next();
            if (record) EXPECT_LE(record->attempts.size(), kMaximumAttempts);
            ASSERT_LT(++records, 100);
        }
    }
    for (int round = 0; round < 5000; ++round) {
        std::string noise(random() % 300, '\0');
        for (char& c : noise) c = static_cast<char>(random());
        BlockReader reader(noise);
        while (!reader.empty()) (void)reader.next();
        BlockReader skipper(noise);
        while (skipper.skip()) {
        }
    }
}

// docs/record-format.md shows these bytes.
TEST(Binary, the_worked_example_of_the_format_page_is_what_is_written) {
    Record record;
    record.ray = RayId(0x7a1b2c3d4e5f6789);
    record.start = base::WallTime(std::chrono::microseconds(1'000'000));
    record.duration_us = 150;
    record.client = *ip::Endpoint::parse("192.0.2.1:80");
    record.method = "GET";
    record.uri = "/a";
    record.edge_status = 520;
    record.cause = cause::Cause::resp_empty_fin;
    record.evidence.add("acked", true);
    std::string hex;
    for (const char c : encoded(record)) {
        constexpr std::string_view kDigits = "0123456789abcdef";
        hex += kDigits[static_cast<uint8_t>(c) >> 4];
        hex += kDigits[static_cast<uint8_t>(c) & 0xf];
    }
    EXPECT_EQ(hex,
              "42000000"
              "01"
              "89675f4e3d2c1b7a"
              "0000000000000000"
              "80897a"
              "ac02"
              "01"
              "04c00002015000"
              "00"
              "00"
              "00"
              "00"
              "03474554"
              "00"
              "022f61"
              "00"
              "00"
              "00"
              "00"
              "00"
              "00"
              "00"
              "8804"
              "00"
              "00"
              "3c"
              "00"
              "00"
              "00"
              "01"
              "0561636b6564"
              "01"
              "01");
}

}  // namespace
}  // namespace edgecase::record
