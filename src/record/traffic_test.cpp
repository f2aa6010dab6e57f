#include "record/traffic.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "record/rollup_steps.hpp"
#include "record/traffic_json.hpp"

namespace edgecase::record {
namespace {

using cause::Cause;
using std::chrono::minutes;

/// Rollups of minutes, as a store would give them in the step that it takes.
class FakeSource final : public Source {
  public:
    std::expected<std::optional<Record>, std::string> find(RayId) override { return std::nullopt; }
    std::expected<std::vector<Record>, std::string> cases(const CaseFilter& filter) override {
        asked_ = filter;
        return cases_;
    }
    std::expected<void, std::string> visit_all(const std::function<void(const Record&)>&) override {
        return {};
    }
    std::expected<base::WallTime, std::string> visit_recent(
        base::WallTime since, size_t, const std::function<void(const Record&)>&) override {
        return since;
    }
    std::expected<std::chrono::seconds, std::string> visit_rollups(
        const RollupQuery& query, const std::function<void(const Rollup&)>& visit) override {
        const std::chrono::seconds step = rollup_step(query, now_).length;
        const RollupSpan span = rollup_span(query, step);
        for (const auto& [minute, table] : minutes_) {
            const std::chrono::seconds at = minutes(minute);
            const base::WallTime start{at - at % step};
            if (start < base::WallTime(span.since) || start >= base::WallTime(span.until)) continue;
            for (const auto& [key, counts] : table.kinds()) {
                if (key.family == RollupFamily::path && !query.with_paths) continue;
                const std::string latency = counts.latency.encode();
                visit({.start = start,
                       .key = view_of(key),
                       .requests = counts.requests,
                       .failures = counts.failures,
                       .bytes_in = counts.bytes_in,
                       .bytes_out = counts.bytes_out,
                       .latency = latency});
            }
        }
        return step;
    }

    base::WallTime now_{minutes(110)};
    RollupMinutes minutes_;
    std::vector<Record> cases_;
    CaseFilter asked_;
};

class TrafficTest : public testing::Test {
  protected:
    void add(int64_t minute, std::string_view host, Cause cause, uint16_t edge_status,
             std::string_view uri = "/") {
        RecordView record;
        record.host = host;
        record.uri = uri;
        record.cause = cause;
        record.edge_status = edge_status;
        record.origin_url = "http://o";
        record.first_byte_us = 1000;
        source_.minutes_[minute].add(record);
    }
    Traffic asked(TrafficQuery query) {
        query.since = base::WallTime(minutes(100));
        query.until = base::WallTime(minutes(110));
        auto found = traffic(source_, query);
        EXPECT_TRUE(found);
        return std::move(*found);
    }

    FakeSource source_;
};

TEST_F(TrafficTest, every_step_has_a_number_also_where_nothing_happened) {
    add(101, "a", Cause::none, 200);
    add(103, "a", Cause::resp_empty_fin, 520);
    add(103, "a", Cause::none, 200);
    const Traffic found = asked({});
    ASSERT_EQ(found.times.size(), 10u);
    ASSERT_EQ(found.series.size(), 2u);
    EXPECT_EQ(found.series[0].key, "none");
    EXPECT_EQ(found.series[0].requests, (std::vector<uint64_t>{0, 1, 0, 1, 0, 0, 0, 0, 0, 0}));
    EXPECT_EQ(found.series[1].key, "resp.empty_fin");
    EXPECT_EQ(found.latency[2].total(), 0u);
    EXPECT_EQ(found.latency[3].total(), 2u);
}

TEST_F(TrafficTest, it_is_told_who_failed) {
    add(101, "a", Cause::none, 200);
    add(101, "a", Cause::resp_empty_fin, 520);
    add(101, "a", Cause::origin_status, 503);
    add(101, "a", Cause::client_abort, 499);
    const TrafficTotals totals = asked({}).totals;
    EXPECT_EQ(totals.requests, 4u);
    EXPECT_EQ(totals.failures, 2u);
    EXPECT_EQ(totals.edge_errors, 1u);
    EXPECT_EQ(totals.origin_errors, 1u);
    EXPECT_EQ(totals.client_gone, 1u);
}

TEST_F(TrafficTest, what_is_beyond_the_series_shown_is_summed_up) {
    for (int host = 0; host < 30; ++host) {
        for (int i = 0; i <= host; ++i) add(101, "h" + std::to_string(host), Cause::none, 200);
    }
    const Traffic found = asked({.by = TrafficBy::host});
    ASSERT_EQ(found.series.size(), Traffic::kSeries);
    EXPECT_EQ(found.series.front().key, "h29");
    EXPECT_EQ(found.series.back().key, kOtherLabel);
    uint64_t sum = 0;
    for (const TrafficSeries& one : found.series) sum += one.total;
    EXPECT_EQ(sum, found.totals.requests);
}

TEST_F(TrafficTest, made_up_hosts_do_not_hide_real_ones_in_the_series) {
    for (int minute = 100; minute < 110; ++minute) {
        for (int i = 0; i < 300; ++i) {
            add(minute, "a" + std::to_string(minute * 300 + i), Cause::none, 200);
        }
        for (int i = 0; i < 5; ++i) add(minute, "www.example", Cause::none, 200);
    }
    for (int i = 0; i < 20; ++i) add(109, "young.example", Cause::none, 200);
    const Traffic found = asked({.by = TrafficBy::host});
    ASSERT_EQ(found.series.size(), Traffic::kSeries);
    EXPECT_EQ(found.series[0].key, "www.example");
    EXPECT_EQ(found.series[0].requests, std::vector<uint64_t>(10, 5));
    EXPECT_EQ(found.series[1].key, "young.example");
    EXPECT_EQ(found.series[1].total, 20u);
    EXPECT_EQ(found.series.back().key, kOtherLabel);
    for (size_t i = 0; i < found.times.size(); ++i) {
        uint64_t sum = 0;
        for (const TrafficSeries& one : found.series) sum += one.requests[i];
        EXPECT_EQ(sum, found.latency[i].total()) << i;
    }
}

TEST_F(TrafficTest, what_is_not_told_apart_is_one_series_and_the_last) {
    for (int i = 0; i < 50; ++i) add(101, kOtherLabel, Cause::none, 200);
    add(102, "a", Cause::none, 200);
    const Traffic few = asked({.by = TrafficBy::host});
    ASSERT_EQ(few.series.size(), 2u);
    EXPECT_EQ(few.series[0].key, "a");
    EXPECT_EQ(few.series[1].key, kOtherLabel);
    EXPECT_EQ(few.series[1].total, 50u);
    for (int i = 0; i < 30; ++i) add(102, "h" + std::to_string(i), Cause::none, 200);
    const Traffic many = asked({.by = TrafficBy::host});
    ASSERT_EQ(many.series.size(), Traffic::kSeries);
    EXPECT_EQ(many.series.back().key, kOtherLabel);
    EXPECT_EQ(many.series.back().total, 50u + 31 - (Traffic::kSeries - 1));
    EXPECT_EQ(std::ranges::count(many.series, kOtherLabel, &TrafficSeries::key), 1);
}

TEST_F(TrafficTest, a_rare_failure_is_not_crowded_out_of_the_top) {
    for (int path = 0; path < 40; ++path) {
        for (int i = 0; i < 5; ++i)
            add(101, "a", Cause::none, 200, "/p" + std::string(1, char('A' + path)));
    }
    add(101, "a", Cause::resp_empty_fin, 520, "/broken");
    const Traffic found = asked({});
    ASSERT_EQ(found.paths.size(), Traffic::kTop);
    EXPECT_EQ(found.paths.back().key, "/broken");
}

TEST_F(TrafficTest, filters_hold_for_all_that_is_told) {
    add(101, "A", Cause::none, 200);
    add(101, "b", Cause::resp_empty_fin, 520);
    add(101, "b", Cause::resp_not_http_h2, 520);
    add(101, "b", Cause::connect_refused, 521);
    EXPECT_EQ(asked({.cause = "resp"}).totals.requests, 2u);
    EXPECT_EQ(asked({.cause = "resp."}).totals.requests, 2u);
    EXPECT_EQ(asked({.cause = "resp.empty"}).totals.requests, 0u);
    EXPECT_EQ(asked({.status = 521}).totals.requests, 1u);
    EXPECT_EQ(asked({.origin = "http://other"}).totals.requests, 0u);
    EXPECT_EQ(asked({.host = "B"}).totals.requests, 3u);
    Record failed;
    failed.uri = "/orders/42";
    failed.cause = Cause::resp_empty_fin;
    source_.cases_ = {failed, failed};
    const Traffic found = asked({.host = "b", .cause = "resp"});
    EXPECT_EQ(source_.asked_.cause, "resp");
    EXPECT_EQ(source_.asked_.host, "b");
    ASSERT_EQ(found.paths.size(), 1u);
    EXPECT_EQ(found.paths.front().key, "/orders/{n}");
}

TEST_F(TrafficTest, no_step_is_counted_in_both_times_though_the_earlier_has_longer_ones) {
    source_.now_ = base::WallTime(minutes(6003));  // minutes are kept from 3123 on
    for (int64_t minute = 3060; minute < 3213; ++minute) add(minute, "a", Cause::none, 200);
    TrafficQuery query;
    query.since = base::WallTime(minutes(3153));
    query.until = base::WallTime(minutes(3213));
    const auto found = traffic(source_, query);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->step, minutes(1));
    EXPECT_EQ(found->totals.requests, 60u);
    const auto before = traffic_before(source_, *found);
    ASSERT_TRUE(before);
    EXPECT_EQ(before->requests, 60u) << "3090 to 3149: the next ten minutes reach into the query";
}

TEST_F(TrafficTest, no_step_is_counted_in_both_times) {
    for (int64_t minute = 90; minute < 110; ++minute) add(minute, "a", Cause::none, 200);
    TrafficQuery query;
    query.since = base::WallTime(minutes(100) + std::chrono::seconds(30));
    query.until = base::WallTime(minutes(105));
    const auto found = traffic(source_, query);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->times.front(), base::WallTime(minutes(100)));
    const auto before = traffic_before(source_, *found);
    ASSERT_TRUE(before);
    EXPECT_EQ(before->requests, 5u) << "95 to 99";
}

TEST_F(TrafficTest, a_token_in_a_path_is_not_shown) {
    add(101, "a", Cause::resp_empty_fin, 520, "/reset/token=abc123");
    const auto json = traffic_json(asked({}), nullptr);
    EXPECT_EQ(json["top"]["paths"].size(), 1u);
    EXPECT_FALSE(json.dump().contains("abc123"));
    EXPECT_EQ(json["top"]["causes"][0]["actor"], "origin");
}

TEST_F(TrafficTest, json_has_null_where_nothing_is_known) {
    add(101, "a\xff", Cause::resp_empty_fin, 520);
    const auto json = traffic_json(asked({}), nullptr);
    EXPECT_TRUE(json["before"].is_null());
    EXPECT_TRUE(json["latency"]["p50_ms"][0].is_null());
    EXPECT_EQ(json["latency"]["max_ms"][1], 1.0);
    EXPECT_EQ(json["times"][1], 6060);
    EXPECT_FALSE(json["top"]["causes"][0]["summary"].get<std::string>().empty());
    EXPECT_NO_THROW((void)json.dump());
}

}  // namespace
}  // namespace edgecase::record
