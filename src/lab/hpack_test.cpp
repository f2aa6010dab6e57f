#include "lab/hpack.hpp"

#include <gtest/gtest.h>

#include "lab/h2_frames.hpp"

namespace edgecase::lab {
namespace {

std::string unhex(std::string_view text) {
    std::string bytes;
    std::string digits;
    for (const char c : text) {
        if (c == ' ') continue;
        digits += c;
        if (digits.size() < 2) continue;
        bytes += static_cast<char>(std::stoi(digits, nullptr, 16));
        digits.clear();
    }
    return bytes;
}

using Fields = std::vector<Field>;

const Fields kFirst{
    {":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "www.example.com"}};
const Fields kSecond{{":method", "GET"},
                     {":scheme", "http"},
                     {":path", "/"},
                     {":authority", "www.example.com"},
                     {"cache-control", "no-cache"}};
const Fields kThird{{":method", "GET"},
                    {":scheme", "https"},
                    {":path", "/index.html"},
                    {":authority", "www.example.com"},
                    {"custom-key", "custom-value"}};

Fields decoded(HpackDecoder& decoder, std::string_view hex) {
    const auto fields = decoder.decode(unhex(hex));
    EXPECT_TRUE(fields.has_value()) << hex;
    return fields.value_or(Fields{});
}

TEST(Hpack, reads_the_field_representations_of_rfc_7541_appendix_c2) {
    HpackDecoder indexing;
    EXPECT_EQ(decoded(indexing, "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572"),
              (Fields{{"custom-key", "custom-header"}}));
    EXPECT_EQ(indexing.table_size(), 55u);
    HpackDecoder plain;
    EXPECT_EQ(decoded(plain, "040c 2f73 616d 706c 652f 7061 7468"),
              (Fields{{":path", "/sample/path"}}));
    EXPECT_EQ(decoded(plain, "1008 7061 7373 776f 7264 0673 6563 7265 74"),
              (Fields{{"password", "secret"}}));
    EXPECT_EQ(decoded(plain, "82"), (Fields{{":method", "GET"}}));
    EXPECT_EQ(plain.table_size(), 0u);
}

TEST(Hpack, reads_the_requests_of_rfc_7541_appendix_c3) {
    HpackDecoder decoder;
    EXPECT_EQ(decoded(decoder, "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d"), kFirst);
    EXPECT_EQ(decoder.table_size(), 57u);
    EXPECT_EQ(decoded(decoder, "8286 84be 5808 6e6f 2d63 6163 6865"), kSecond);
    EXPECT_EQ(decoder.table_size(), 110u);
    EXPECT_EQ(decoded(decoder,
                      "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65"),
              kThird);
    EXPECT_EQ(decoder.table_size(), 164u);
}

TEST(Hpack, reads_the_huffman_coded_requests_of_rfc_7541_appendix_c4) {
    HpackDecoder decoder;
    EXPECT_EQ(decoded(decoder, "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff"), kFirst);
    EXPECT_EQ(decoded(decoder, "8286 84be 5886 a8eb 1064 9cbf"), kSecond);
    EXPECT_EQ(decoded(decoder, "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf"),
              kThird);
    EXPECT_EQ(decoder.table_size(), 164u);
}

TEST(Hpack, forgets_the_oldest_entries_when_the_table_shrinks) {
    HpackDecoder decoder;
    decoded(decoder, "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572");
    decoded(decoder, "20 82");  // size 0
    EXPECT_EQ(decoder.table_size(), 0u);
    EXPECT_FALSE(decoder.decode(unhex("be")));
}

TEST(Hpack, refuses_what_has_no_meaning) {
    for (const auto* const hex : {
             "80",                // index 0
             "be",                // an index behind the table
             "00 05 6162",        // a name that breaks off
             "3f e2 1f",          // a table larger than was allowed
             "ff ffffffff",       // an integer that does not end
             "00 01 61 82 ffff",  // padding of more than seven bits
             "00 01 61 81 18",    // padding that is not all ones
         }) {
        HpackDecoder decoder;
        EXPECT_FALSE(decoder.decode(unhex(hex))) << hex;
    }
}

TEST(Hpack, writes_literals_that_it_can_read) {
    const Fields fields{{":status", "200"}, {"x-long", std::string(20'000, 'x')}, {"UPPER", "\n"}};
    HpackDecoder decoder;
    EXPECT_EQ(decoder.decode(hpack_block(fields)), fields);
}

TEST(Frames, are_built_as_rfc_9113_4_1_draws_them) {
    EXPECT_EQ(h2::rst_stream(5, h2::kRefusedStream), unhex("000004 03 00 00000005 00000007"));
    EXPECT_EQ(h2::settings({{h2::kMaxConcurrentStreams, 0}}),
              unhex("000006 04 00 00000000 0003 00000000"));
    EXPECT_EQ(h2::goaway(0, h2::kInternalError, "x"),
              unhex("000009 07 00 00000000 00000000 00000002 78"));
    EXPECT_EQ(h2::data(1, "hi", h2::kEndStream), unhex("000002 00 01 00000001 6869"));
}

TEST(Frames, are_taken_one_by_one_and_only_when_whole) {
    std::string buffer = h2::data(3, "hello", h2::kEndStream) + h2::window_update(0, 10);
    const std::string last = buffer.substr(buffer.size() - 1);
    buffer.pop_back();
    const auto data = h2::take_frame(buffer);
    ASSERT_TRUE(data);
    EXPECT_EQ(data->type, h2::Type::data);
    EXPECT_EQ(data->stream_id, 3u);
    EXPECT_TRUE(data->has(h2::kEndStream));
    EXPECT_EQ(data->payload, "hello");
    EXPECT_FALSE(h2::take_frame(buffer));
    buffer += last;
    const auto update = h2::take_frame(buffer);
    ASSERT_TRUE(update);
    EXPECT_EQ(h2::read_u32(update->payload), 10u);
    EXPECT_EQ(buffer, "");
}

TEST(Frames, are_read_without_their_padding_and_priority) {
    const h2::Frame padded{h2::Type::headers, h2::kPadded | h2::kPriority, 1,
                           unhex("02 00000000 10 82 0000")};
    EXPECT_EQ(padded.content(), "\x82");
    const h2::Frame broken{h2::Type::data, h2::kPadded, 1, unhex("05 00")};
    EXPECT_FALSE(broken.content());
}

TEST(Frames, split_a_long_field_block_into_continuations) {
    std::string bytes =
        h2::long_headers(1, {{":status", "200"}, {"x", std::string(100, 'x')}}, 50, h2::kEndStream);
    std::string block;
    bool ended = false;
    while (const auto taken = h2::take_frame(bytes)) {
        EXPECT_EQ(taken->type, block.empty() ? h2::Type::headers : h2::Type::continuation);
        EXPECT_LE(taken->payload.size(), 50u);
        block += taken->payload;
        ended = taken->has(h2::kEndHeaders);
    }
    EXPECT_TRUE(ended);
    HpackDecoder decoder;
    EXPECT_EQ(decoder.decode(block)->size(), 2u);
}

}  // namespace
}  // namespace edgecase::lab
