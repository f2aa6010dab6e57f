#include "record/rollup.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "record/path_template.hpp"

namespace edgecase::record {
namespace {

using cause::Cause;

TEST(PathTemplateTest, numbers_ids_and_long_names_stand_for_their_kind) {
    EXPECT_EQ(path_template("/"), "/");
    EXPECT_EQ(path_template("/a/42/b?x=1"), "/a/{n}/b");
    EXPECT_EQ(path_template("/u/7a1b2c3d-0001/"), "/u/{id}/");
    EXPECT_EQ(path_template("/face"), "/face");
    EXPECT_EQ(path_template("/1/2/3/4/5/6/7/8/9"), "/{n}/{n}/{n}/{n}/{n}/{n}/{n}/...");
}

TEST(LatencyHistogramTest, percentiles_are_within_the_promised_error) {
    std::mt19937_64 random(7);
    std::lognormal_distribution<double> latency(9, 2);
    LatencyHistogram histogram;
    std::vector<int64_t> all;
    for (int i = 0; i < 20'000; ++i) {
        all.push_back(static_cast<int64_t>(latency(random)));
        histogram.add(all.back());
    }
    std::ranges::sort(all);
    for (const double share : {0.01, 0.5, 0.95, 0.99, 0.999}) {
        const auto exact =
            static_cast<double>(all[static_cast<size_t>(share * static_cast<double>(all.size()))]);
        const auto told = histogram.percentile_us(share);
        ASSERT_TRUE(told);
        EXPECT_NEAR(static_cast<double>(*told), exact, exact * 0.033 + 1) << share;
    }
    EXPECT_EQ(histogram.maximum_us(), all.back());
    EXPECT_LE(*histogram.percentile_us(1), all.back());
}

TEST(LatencyHistogramTest, what_is_not_known_is_not_counted) {
    LatencyHistogram histogram;
    histogram.add(-1);
    EXPECT_EQ(histogram.total(), 0u);
    EXPECT_EQ(histogram.percentile_us(0.5), std::nullopt);
}

TEST(LatencyHistogramTest, the_encoded_form_adds_up) {
    LatencyHistogram first;
    LatencyHistogram second;
    for (const int64_t value : {0, 15, 16, 17, 31, 32, 1'000'000}) first.add(value);
    second.add(int64_t{1} << 50);  // beyond the last step
    LatencyHistogram sum;
    EXPECT_TRUE(sum.merge_encoded(first.encode()));
    EXPECT_TRUE(sum.merge_encoded(second.encode()));
    EXPECT_EQ(sum.total(), 8u);
    EXPECT_EQ(sum.maximum_us(), int64_t{1} << 50);
    first.merge(second);
    EXPECT_EQ(first.encode(), sum.encode());
}

TEST(LatencyHistogramTest, damaged_bytes_are_refused) {
    LatencyHistogram histogram;
    for (const std::string_view bytes :
         {std::string_view(""), std::string_view("\x80"), std::string_view("\x01\x05"),
          std::string_view("\x01\xff\x7f\x01"),
          std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")}) {
        EXPECT_FALSE(histogram.merge_encoded(bytes));
    }
}

RecordView answered(std::string_view host, std::string_view uri, Cause cause = Cause::none) {
    RecordView record;
    record.host = host;
    record.uri = uri;
    record.cause = cause;
    record.edge_status = cause == Cause::none ? 200 : 520;
    record.origin_url = "http://127.0.0.1:1";
    record.first_byte_us = 100;
    record.duration_us = 5000;
    record.request_bytes = 10;
    record.response_bytes = 20;
    return record;
}

TEST(RollupTest, requests_are_counted_by_what_they_have_in_common) {
    RollupTable table;
    for (int i = 0; i < 3; ++i) table.add(answered("a", "/x/" + std::to_string(1000 + i)));
    table.add(answered("a", "/x/7", Cause::resp_empty_fin));
    table.add(answered("b", "/x/7", Cause::client_abort));
    EXPECT_EQ(table.kinds().size(), 5u);  // three of origins, two of paths
    const auto path = table.kinds().find(
        RollupKeyView{.family = RollupFamily::path, .host = "a", .label = "/x/{n}"});
    ASSERT_NE(path, table.kinds().end());
    EXPECT_EQ(path->second.requests, 4u);
    EXPECT_EQ(path->second.failures, 1u);
    EXPECT_EQ(path->second.bytes_in, 40u);
    EXPECT_EQ(path->second.bytes_out, 80u);
    EXPECT_EQ(path->second.latency.maximum_us(), 100);
    RollupTable twice;
    twice.merge(table);
    twice.merge(table);
    EXPECT_EQ(twice.kinds().find(view_of(path->first))->second.requests, 8u);
}

TEST(RollupTest, names_made_up_by_clients_do_not_grow_the_table) {
    RollupTable table;
    for (int i = 0; i < 5000; ++i) {
        table.add(answered("host" + std::to_string(i), "/name" + std::to_string(i) + "x"));
    }
    EXPECT_LE(table.kinds().size(), RollupTable::kMaximumKinds + 2);
    uint64_t requests = 0;
    for (const auto& [key, counts] : table.kinds()) {
        if (key.family == RollupFamily::origin) requests += counts.requests;
    }
    EXPECT_EQ(requests, 5000u);
    table.add(answered("a", "/" + std::string(3000, 'y')));
    for (const auto& [key, counts] : table.kinds()) EXPECT_LE(key.label.size(), kMaximumLabelBytes);
}

TEST(RollupTest, a_request_counts_when_it_ends) {
    RecordView record = answered("a", "/");
    record.start = base::WallTime(std::chrono::minutes(5) - std::chrono::milliseconds(3));
    EXPECT_EQ(minute_of(record), 5);
    record.duration_us = 1000;
    EXPECT_EQ(minute_of(record), 4);
}

}  // namespace
}  // namespace edgecase::record
