#include "origin/health_check.hpp"

#include <gtest/gtest.h>

namespace edgecase::origin {
namespace {

using cause::Cause;

class HealthJudgeTest : public testing::Test {
  protected:
    HealthJudgeTest() { check.path = "/"; }
    void take(Cause cause) { judge.take(cause::Failure(cause, {})); }
    void take_success() { judge.take(std::nullopt); }

    config::HealthCheck check;
    HealthState state;
    HealthJudge judge{check, state};
};

TEST_F(HealthJudgeTest, so_many_failures_in_a_row_take_out_and_so_many_successes_bring_back) {
    take(Cause::connect_refused);
    take(Cause::connect_refused);
    take_success();
    take(Cause::connect_refused);
    take(Cause::connect_refused);
    EXPECT_TRUE(state.healthy);
    take(Cause::time_first_byte);
    EXPECT_FALSE(state.healthy);
    EXPECT_EQ(state.last_fault, Cause::time_first_byte);
    take_success();
    take(Cause::connect_refused);
    take_success();
    EXPECT_FALSE(state.healthy);
    take_success();
    EXPECT_TRUE(state.healthy);
}

TEST_F(HealthJudgeTest, a_limit_of_the_edge_says_nothing_of_the_origin) {
    for (int i = 0; i < 10; ++i) take(Cause::connect_limit);
    EXPECT_TRUE(state.healthy);
}

TEST(HealthFaultNameTest, faults_have_the_names_of_cloudflares_health_checks) {
    EXPECT_EQ(health_fault_name(Cause::connect_refused), "TCP connection failed");
    EXPECT_EQ(health_fault_name(Cause::connect_reset), "Connection reset by peer");
    EXPECT_EQ(health_fault_name(Cause::connect_no_neighbour), "No route to host");
    EXPECT_EQ(health_fault_name(Cause::connect_no_route), "Network unreachable");
    EXPECT_EQ(health_fault_name(Cause::dns_nxdomain), "DNS unknown host");
    EXPECT_EQ(health_fault_name(Cause::tls_cert_name), "TLS name mismatch");
    EXPECT_EQ(health_fault_name(Cause::tls_cert_expired), "TLS untrusted certificate");
    EXPECT_EQ(health_fault_name(Cause::tls_alert), "TLS handshake failure");
    EXPECT_EQ(health_fault_name(Cause::time_first_byte), "HTTP timeout occurred");
    EXPECT_EQ(health_fault_name(Cause::resp_empty_rst), "Connection reset by peer");
    EXPECT_EQ(health_fault_name(Cause::resp_not_http_text), "HTTP invalid response");
    EXPECT_EQ(health_fault_name(Cause::origin_status), "Response code mismatch");
    EXPECT_EQ(health_fault_name(Cause::edge_internal), "Other failure");
}

TEST(HealthBoardTest, what_was_found_outlives_a_reload_for_origins_that_are_still_checked) {
    config::Pool pool;
    pool.name = "pool";
    pool.origins = {{*http::OriginUrl::parse("http://a.test"), 1},
                    {*http::OriginUrl::parse("http://b.test"), 1}};
    pool.health.path = "/";
    HealthBoard before({pool});
    before.at(0, 1).healthy = false;
    std::swap(pool.origins[0], pool.origins[1]);
    config::Pool other = pool;
    other.name = "other";
    HealthBoard after({other, pool}, &before);
    EXPECT_FALSE(after.at(1, 0).healthy);
    EXPECT_TRUE(after.at(1, 1).healthy);
    EXPECT_TRUE(after.at(0, 0).healthy);
    pool.health.path.clear();
    HealthBoard unchecked({pool}, &before);
    EXPECT_TRUE(unchecked.at(0, 0).healthy) << "nobody would bring it back";
    EXPECT_TRUE(after.claim_checking());
    EXPECT_FALSE(after.claim_checking());
}

}  // namespace
}  // namespace edgecase::origin
