#include "diagnose/findings.hpp"

#include <gtest/gtest.h>

namespace edgecase::diagnose {
namespace {

using cause::Cause;
using std::chrono::seconds;

class FindingsTest : public testing::Test {
  protected:
    record::Record& make(Cause cause, int second) {
        record = {};
        record.ray = record::RayId(++rays);
        record.start = begin + seconds(second);
        record.host = "shop.test";
        record.uri = "/";
        record.method = "GET";
        record.protocol = "HTTP/2";
        record.cause = cause;
        record::Attempt& attempt = record.attempts.emplace_back();
        attempt.cause = cause;
        attempt.origin = *ip::Endpoint::parse("10.0.0.1:80");
        attempt.total_us = 20'000;
        return record;
    }
    void healthy(int count) {
        for (int i = 0; i < count; ++i) maker.take(make(Cause::none, i));
    }

    base::WallTime begin{std::chrono::sys_days(std::chrono::year(2026) / 11 / 28)};
    uint64_t rays = 0;
    record::Record record;
    FindingsMaker maker;
};

TEST_F(FindingsTest, healthy_traffic_has_none_and_a_few_failures_are_chance) {
    healthy(20'000);
    EXPECT_TRUE(maker.findings().empty());
    for (int i = 0; i < 4; ++i) maker.take(make(Cause::resp_empty_fin, i));
    EXPECT_TRUE(maker.findings().empty());
}

TEST_F(FindingsTest, one_bad_origin_of_three_is_named) {
    for (int i = 0; i < 3'000; ++i) {
        const bool bad = i % 3 == 2;
        make(bad && i % 2 == 0 ? Cause::resp_empty_rst : Cause::none, i);
        const char* const origins[] = {"10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"};
        record.attempts.back().origin = *ip::Endpoint::parse(origins[i % 3]);
        maker.take(record);
    }
    ASSERT_EQ(maker.findings().size(), 1u);
    const TrafficFinding found = maker.findings().front();
    EXPECT_EQ(found.factor, "origin");
    EXPECT_EQ(found.value, "10.0.0.3:80");
    EXPECT_NEAR(found.inside_rate(), 0.5, 0.01);
    EXPECT_EQ(found.outside_rate(), 0);
    EXPECT_GT(found.confidence, 0.999);
    EXPECT_EQ(found.rays.size(), TrafficFinding::kRays);
}

TEST_F(FindingsTest, a_keep_alive_race_follows_reused_connections_that_were_idle_for_long) {
    for (int i = 0; i < 4'000; ++i) {
        const bool late = i % 40 == 0;
        make(late && i % 80 == 0 ? Cause::reuse_stale : Cause::none, i);
        record.attempts.back().reused = i % 2 == 0;
        record.attempts.back().idle_us = late ? 5'000'000 : 100'000;
        maker.take(record);
    }
    ASSERT_EQ(maker.findings().size(), 1u);
    EXPECT_EQ(maker.findings().front().factor, "idle time");
    EXPECT_EQ(maker.findings().front().value, "4.5 to 15 s");
}

TEST_F(FindingsTest, headers_that_grow_on_one_path_are_found_there) {
    for (int i = 0; i < 3'000; ++i) {
        make(i % 10 == 0 ? Cause::resp_headers_too_large : Cause::none, i);
        if (i % 10 == 0) record.uri = "/orders/" + std::to_string(i) + "/items?page=2";
        maker.take(record);
    }
    EXPECT_EQ(maker.findings().front().factor, "path");
    EXPECT_EQ(maker.findings().front().value, "/orders/{n}/items");
}

TEST_F(FindingsTest, a_restart_is_a_burst_in_time) {
    for (int i = 0; i < 3'600; ++i) {
        maker.take(make(i >= 1'800 && i < 1'830 ? Cause::connect_refused : Cause::none, i));
    }
    ASSERT_EQ(maker.findings().size(), 1u);
    EXPECT_EQ(maker.findings().front().factor, "time");
    EXPECT_TRUE(maker.findings().front().value.starts_with("2026-11-28T00:29"));
    EXPECT_GT(maker.findings().front().confidence, 0.999);
}

TEST_F(FindingsTest, failures_that_nothing_sets_apart_are_told_without_a_factor) {
    for (int i = 0; i < 2'000; ++i) {
        maker.take(make(i % 50 == 7 ? Cause::resp_truncated_headers : Cause::none, i));
    }
    ASSERT_EQ(maker.findings().size(), 1u);
    EXPECT_EQ(maker.findings().front().factor, "");
    EXPECT_EQ(maker.findings().front().confidence, 0);
    EXPECT_NEAR(maker.findings().front().inside_rate(), 0.02, 0.001);
}

TEST_F(FindingsTest, ends_after_a_round_number_of_seconds_are_a_timeout_at_the_origin) {
    healthy(1'000);
    for (int i = 0; i < 10; ++i) {
        make(Cause::resp_empty_fin, i).attempts.back().total_us = 30'010'000;
        maker.take(record);
    }
    EXPECT_NE(maker.findings().front().sentence.find("30 s after"), std::string::npos);
}

TEST_F(FindingsTest, what_retries_hide_is_told_when_it_is_much) {
    const auto saved = [&](int i) {
        make(Cause::none, i);
        record.attempts.front().cause = Cause::reuse_stale;
        record.attempts.front().reused = true;
        record.attempts.front().retried = true;
        record.attempts.emplace_back();
        maker.take(record);
    };
    healthy(1'000);
    for (int i = 0; i < 19; ++i) saved(i);
    EXPECT_TRUE(maker.findings().empty());
    for (int i = 0; i < 19; ++i) saved(i);
    ASSERT_EQ(maker.findings().size(), 1u);
    const TrafficFinding found = maker.findings().front();
    EXPECT_EQ(found.cause, Cause::reuse_stale);
    EXPECT_EQ(found.factor, "connection");
    EXPECT_TRUE(found.hidden);
    healthy(10'000);
    EXPECT_TRUE(maker.findings().empty()) << "below half a percent it is usual";
}

TEST_F(FindingsTest, failures_without_successes_are_counted_and_not_compared) {
    for (int i = 0; i < 50; ++i) {
        make(i % 2 == 0 ? Cause::connect_refused : Cause::resp_empty_fin, i);
        record.attempts.back().origin =
            *ip::Endpoint::parse(i % 2 == 0 ? "10.0.0.1:80" : "10.0.0.2:80");
        maker.take(record);
        // A case that a retry saved is kept as long as failures, and is no success to compare with.
        record::Record& saved = make(Cause::none, i);
        saved.attempts.push_back(saved.attempts.front());
        maker.take(saved);
    }
    ASSERT_EQ(maker.findings().size(), 2u);
    EXPECT_FALSE(maker.findings().front().compared);
    EXPECT_TRUE(maker.findings().front().factor.empty());
    EXPECT_TRUE(
        maker.findings().front().sentence.starts_with("25 requests failed so, and no success"));
    healthy(1);
    EXPECT_TRUE(maker.findings().front().compared);
}

TEST_F(FindingsTest, clients_that_left_count_neither_way) {
    healthy(100);
    for (int i = 0; i < 50; ++i) maker.take(make(Cause::client_abort, i));
    EXPECT_TRUE(maker.findings().empty());
    EXPECT_EQ(maker.requests(), 100u);
}

}  // namespace
}  // namespace edgecase::diagnose
