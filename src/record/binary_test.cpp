#include "record/binary.hpp"

#include <gtest/gtest.h>

#include <random>

#include "record/test_record.hpp"

namespace edgecase::record {
namespace {

// plain_record() as the program wrote it before records knew of TLS and HTTP/2.
constexpr std::string_view kBytesBeforeTls =
    "060200000189675f4e3d2c1b7a887766554433221180c0efa0bac1b006a4ee01b0ea0104cb00710938c70620"
    "010db8000000000000000000000001901f034c4142046874747008485454502f312e31034745540c73686f70"
    "2e6578616d706c651a2f636172743f6974656d3d3726746f6b656e3d68756e74657232086375726c2f382e35"
    "1d687474703a2f2f73686f702e6578616d706c652f3f636f64653d61626315687474703a2f2f3132372e302e"
    "302e313a33303030ac0214d00f880e8804c80109746578742f68746d6c6403bbb9020232047f000001b80b04"
    "7f000001409c4d0302d0bce204090100500101b4019802000000020769646c655f6d7300924e057265736574"
    "0101640600000000000000000000000000000001b80b0600000000000000000000000000000001419c4e0004"
    "0001f80aa4033cc03ed08c01e0da019802bbb902bbb902c80100070c6865616465725f627974657300f6f204"
    "0b6c696d69745f6279746573008080040e6c6172676573745f6669656c64730302177365742d636f6f6b6965"
    "3a20333130303020627974657312782d64656275673a20373030206279746573046c696e65020b436f6f6b69"
    "653a20613d6208636f6d706c6574650100086e6567617469766500090673616d706c6504285365742d436f6f"
    "6b69653a2069643d7333637233743b20706174683d2f0d0a582d426164013a2031e8078c0800";

std::string encoded(const Record& record) {
    base::ByteBuffer buffer;
    encode(buffer, record);
    return std::string(buffer.view());
}

std::string hex(std::string_view bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (const char c : bytes) {
        text += kDigits[static_cast<uint8_t>(c) >> 4];
        text += kDigits[static_cast<uint8_t>(c) & 0xf];
    }
    return text;
}

std::string unhex(std::string_view text) {
    std::string bytes;
    for (size_t i = 0; i + 1 < text.size(); i += 2) {
        bytes += static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16));
    }
    return bytes;
}

/// What the program of before makes of it: it reads all but the tail.
Record without_tail(Record record) {
    record.tls_version = 0;
    record.tls_cipher.clear();
    record.sni.clear();
    record.trace = {};
    for (Attempt& attempt : record.attempts) {
        attempt.tls_us = -1;
        attempt.tls_version = 0;
        attempt.tls_resumed = attempt.http2 = attempt.downgraded = false;
        attempt.stream_id = 0;
        attempt.outrun = false;
        attempt.dns_stale = cause::Cause::none;
    }
    return record;
}

/// The record frame's first `size` bytes, its size made to fit.
std::string reframed(std::string_view frame, size_t size) {
    std::string cut(frame.substr(0, size));
    const auto inner = static_cast<uint32_t>(size - 4);
    cut.replace(0, 4, reinterpret_cast<const char*>(&inner), 4);
    return cut;
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

TEST(Binary, a_record_written_before_tls_is_still_read) {
    const std::string old = unhex(kBytesBeforeTls);
    BlockReader reader(old);
    const auto record = reader.next();
    ASSERT_TRUE(record) << record.error();
    EXPECT_EQ(*record, plain_record());
    EXPECT_TRUE(reader.empty());

    const std::string block = old + encoded(full_record()) + old;
    BlockReader mixed(block);
    EXPECT_EQ(mixed.next(), plain_record());
    EXPECT_EQ(mixed.next(), full_record());
    EXPECT_EQ(mixed.next(), plain_record());
}

TEST(Binary, a_plain_request_takes_not_one_byte_more_than_before_tls) {
    EXPECT_EQ(hex(encoded(plain_record())), kBytesBeforeTls);
}

TEST(Binary, every_field_of_tls_and_http2_comes_back_alone) {
    std::vector<Record> records;
    const auto record_with = [&](auto change) {
        records.push_back(plain_record());
        change(records.back(), records.back().attempts.back());
    };
    record_with([](Record& record, Attempt&) { record.tls_version = 0xffff; });
    record_with([](Record& record, Attempt&) { record.tls_cipher = "x"; });
    record_with([](Record& record, Attempt&) { record.sni = "other.example"; });
    record_with([](Record& record, Attempt&) { record.sni = record.host; });
    record_with([](Record& record, Attempt&) { record.trace = {1, 2, 3}; });
    record_with([](Record& record, Attempt&) { record.trace = {0, ~uint64_t{0}, 0}; });
    record_with([](Record&, Attempt& attempt) { attempt.tls_us = 0; });
    record_with([](Record&, Attempt& attempt) { attempt.tls_us = 12'345'678; });
    record_with([](Record&, Attempt& attempt) { attempt.tls_version = 0x0303; });
    record_with([](Record&, Attempt& attempt) { attempt.tls_resumed = true; });
    record_with([](Record&, Attempt& attempt) { attempt.http2 = true; });
    record_with([](Record&, Attempt& attempt) { attempt.stream_id = ~uint32_t{0}; });
    record_with([](Record&, Attempt& attempt) { attempt.downgraded = true; });
    record_with([](Record&, Attempt& attempt) { attempt.outrun = true; });
    record_with([](Record&, Attempt& attempt) { attempt.dns_stale = cause::Cause::dns_nxdomain; });
    for (size_t i = 0; i < records.size(); ++i) {
        const std::string bytes = encoded(records[i]);
        EXPECT_EQ(BlockReader(bytes).next(), records[i]) << i;
        EXPECT_NE(bytes, encoded(plain_record())) << i;
    }
}

TEST(Binary, http2_and_tls_of_the_client_alone_cost_nothing_for_the_attempts) {
    Record record = plain_record();
    record.protocol = "HTTP/2";
    EXPECT_LT(encoded(record).size(), encoded(plain_record()).size());
    const size_t without = encoded(record).size();
    record.sni = record.host;
    record.tls_version = 0x0304;
    record.tls_cipher = "TLS_AES_128_GCM_SHA256";
    EXPECT_EQ(encoded(record).size(), without + 1 + 2 + 1 + record.tls_cipher.size());
}

TEST(Binary, a_trace_costs_its_three_numbers_and_the_tail_s_flags) {
    Record record = plain_record();
    record.trace = {1, 2, 3};
    EXPECT_EQ(encoded(record).size(), encoded(plain_record()).size() + 1 + 24);
}

TEST(Binary, parts_of_a_later_program_behind_the_tail_are_ignored) {
    const std::string bytes = encoded(full_record()) + "later";
    EXPECT_EQ(BlockReader(reframed(bytes, bytes.size())).next(), full_record());
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
    for (Attempt& attempt : record.attempts) attempt.http2 = true;
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
    // The frame whole but its inside cut. Without the tail it is a record of before.
    const size_t tail_at = encoded(without_tail(full_record())).size();
    for (size_t size = 13; size < bytes.size(); ++size) {
        const std::string cut = reframed(bytes, size);
        BlockReader reader(cut);
        if (size == tail_at) {
            EXPECT_EQ(reader.next(), without_tail(full_record()));
            continue;
        }
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
    EXPECT_EQ(hex(encoded(record)),
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
