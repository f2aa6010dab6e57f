#include "origin/balancer.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "net/listener.hpp"

namespace edgecase::origin {
namespace {

using cause::Cause;
using config::Balance;
using std::chrono::milliseconds;
using std::chrono::seconds;

cause::Failure failure(Cause cause) {
    return {cause, {}};
}

class BalancerTest : public testing::Test {
  protected:
    BalancerTest()
        : loop(std::move(*net::Loop::create(clock))),
          resolver(std::move(*net::Resolver::create(*loop, {.timeout = seconds(1)}))) {
        pool.name = "pool";
    }

    /// An upstream of origins with these weights; their names are a, b, c...
    Upstream& make(Balance balance, const std::vector<uint16_t>& weights) {
        pool.balance = balance;
        std::vector<Origin*> borrowed;
        for (size_t i = 0; i < weights.size(); ++i) {
            const std::string url =
                "http://" + std::string(1, static_cast<char>('a' + i)) + ".test";
            pool.origins.push_back({*http::OriginUrl::parse(url), weights[i]});
            origins.push_back(std::make_unique<Origin>(
                Surroundings{*loop, *resolver, settings, nullptr, {}}, pool.origins.back().url));
            borrowed.push_back(origins.back().get());
        }
        board.emplace(std::vector{pool});
        upstream.emplace(pool, borrowed, *board, 0, 1);
        return *upstream;
    }
    base::SteadyTime now() const { return clock.now(); }
    char choose(std::string_view key = "") {
        Upstream::Member* const member = upstream->choose(key, now());
        return member == nullptr ? '-' : member->origin.url().host[0];
    }
    std::map<char, int> counts(int requests) {
        std::map<char, int> found;
        for (int i = 0; i < requests; ++i) ++found[choose(std::to_string(i))];
        return found;
    }
    Upstream::Member& member(size_t index) { return upstream->members()[index]; }
    void fail(size_t index, Cause cause, unsigned times) {
        for (unsigned i = 0; i < times; ++i) upstream->failed(member(index), failure(cause), now());
    }
    bool is_used(char name) { return counts(100).contains(name); }

    base::FakeClock clock;
    std::unique_ptr<net::Loop> loop;
    std::unique_ptr<net::Resolver> resolver;
    config::Settings settings;
    config::Pool pool;
    std::vector<std::unique_ptr<Origin>> origins;
    std::optional<HealthBoard> board;
    std::optional<Upstream> upstream;
};

TEST_F(BalancerTest, round_robin_is_smooth_and_respects_weights) {
    make(Balance::round_robin, {5, 1, 1});
    std::string order;
    for (int i = 0; i < 7; ++i) order += choose();
    EXPECT_EQ(order, "aabacaa");
    EXPECT_EQ(counts(700), (std::map<char, int>{{'a', 500}, {'b', 100}, {'c', 100}}));
}

TEST_F(BalancerTest, two_random_choices_respect_weights_when_all_are_idle) {
    make(Balance::least_requests, {1, 2, 1});
    auto found = counts(8000);
    EXPECT_NEAR(found['b'], 4000, 300);
    EXPECT_NEAR(found['a'], 2000, 250);
}

TEST_F(BalancerTest, of_two_choices_the_less_busy_one_is_taken) {
    make(Balance::least_requests, {1, 1});
    // Three connections to the first are in use.
    auto listener = net::Listener::listen(*loop, *ip::Endpoint::parse("127.0.0.1:0"), false);
    const auto url = http::OriginUrl::parse("http://" + listener->local().to_string());
    Origin busy(Surroundings{*loop, *resolver, settings, nullptr, {}}, *url);
    std::vector<Origin*> both{&busy, origins[1].get()};
    upstream.emplace(pool, both, *board, 0, 1);
    record::Attempt attempt;
    net::TaskSet tasks;
    std::vector<Connection> open;
    tasks.spawn([](Origin& origin, record::Attempt& record, std::vector<Connection>& kept,
                   net::Loop& running) -> net::Task<void> {
        std::vector<record::Attempt> others;
        for (int i = 0; i < 3; ++i) {
            auto made = co_await origin.connect(record, {}, others);
            if (made) kept.push_back(std::move(*made));
        }
        running.stop();
    }(busy, attempt, open, *loop));
    loop->run();
    ASSERT_EQ(busy.open(), 3u);
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(&upstream->choose("", now())->origin, origins[1].get());
    }
    for (Connection& one : open) busy.give_back(std::move(one), false);
}

TEST_F(BalancerTest, equal_keys_go_to_the_same_origin_and_all_keys_by_weight) {
    make(Balance::consistent_hash, {1, 3, 1});
    EXPECT_EQ(choose("192.0.2.1"), choose("192.0.2.1"));
    auto found = counts(10000);
    EXPECT_NEAR(found['b'], 6000, 300);
    EXPECT_NEAR(found['a'], 2000, 250);
}

TEST_F(BalancerTest, an_origin_that_leaves_moves_only_its_own_keys) {
    make(Balance::consistent_hash, {1, 1, 1, 1});
    std::map<int, char> before;
    for (int i = 0; i < 1000; ++i) before[i] = choose(std::to_string(i));
    member(1).health.healthy = false;
    std::set<char> heirs;
    for (int i = 0; i < 1000; ++i) {
        const char after = choose(std::to_string(i));
        if (before[i] == 'b') {
            heirs.insert(after);
        } else {
            EXPECT_EQ(after, before[i]);
        }
    }
    EXPECT_EQ(heirs, (std::set{'a', 'c', 'd'})) << "and spreads them over all others";
    member(1).health.healthy = true;
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(choose(std::to_string(i)), before[i]);
}

TEST_F(BalancerTest, an_origin_that_cannot_be_talked_to_is_ejected_and_returns) {
    make(Balance::round_robin, {1, 1});
    fail(0, Cause::connect_refused, 4);
    EXPECT_TRUE(is_used('a'));
    fail(0, Cause::tls_timeout, 1);
    EXPECT_FALSE(is_used('a'));
    clock.advance(pool.ejection.time);
    EXPECT_TRUE(is_used('a'));
}

TEST_F(BalancerTest, failures_must_come_in_a_row) {
    make(Balance::round_robin, {1, 1});
    fail(0, Cause::connect_refused, 4);
    upstream->answered(member(0), 503, now());
    fail(0, Cause::connect_refused, 4);
    EXPECT_TRUE(is_used('a')) << "an answer, even a bad one, shows that it can be talked to";
}

TEST_F(BalancerTest, each_ejection_without_a_success_lasts_longer_up_to_ten_times) {
    make(Balance::round_robin, {1, 1});
    for (const int times : {1, 2, 4, 8, 10, 10}) {
        fail(0, Cause::connect_refused, 5);
        clock.advance(pool.ejection.time * times - milliseconds(1));
        EXPECT_FALSE(is_used('a')) << times;
        clock.advance(milliseconds(1));
        EXPECT_TRUE(is_used('a')) << times;
    }
    upstream->completed(member(0), 200);
    fail(0, Cause::connect_refused, 5);
    clock.advance(pool.ejection.time);
    EXPECT_TRUE(is_used('a')) << "a success has made it forgotten";
}

TEST_F(BalancerTest, what_fails_while_it_is_out_does_not_count) {
    make(Balance::round_robin, {1, 1});
    fail(0, Cause::connect_refused, 50);
    clock.advance(pool.ejection.time);
    fail(0, Cause::connect_refused, 1);
    EXPECT_TRUE(is_used('a'));
}

TEST_F(BalancerTest, the_last_one_is_never_ejected) {
    make(Balance::round_robin, {1, 1});
    fail(0, Cause::connect_refused, 5);
    fail(1, Cause::connect_refused, 50);
    EXPECT_EQ(counts(10), (std::map<char, int>{{'b', 10}}));
}

TEST_F(BalancerTest, the_only_one_is_never_ejected) {
    make(Balance::least_requests, {1});
    fail(0, Cause::connect_timeout, 50);
    EXPECT_EQ(choose(), 'a');
    EXPECT_EQ(upstream->choose_other(member(0), "", now()), nullptr);
}

TEST_F(BalancerTest, bad_answers_are_counted_apart_and_only_when_asked_for) {
    make(Balance::round_robin, {1, 1});
    for (int i = 0; i < 50; ++i) upstream->answered(member(0), 500, now());
    fail(0, Cause::resp_empty_fin, 50);
    EXPECT_TRUE(is_used('a'));
    pool.ejection.bad_answers = 3;
    upstream->completed(member(0), 200);
    upstream->answered(member(0), 502, now());
    fail(0, Cause::time_first_byte, 1);
    EXPECT_TRUE(is_used('a'));
    upstream->answered(member(0), 503, now());
    EXPECT_FALSE(is_used('a'));
}

TEST_F(BalancerTest, the_faults_of_the_client_and_of_the_edge_are_not_the_origins) {
    for (const Cause cause : {Cause::client_abort, Cause::connect_limit,
                              Cause::connect_local_exhausted, Cause::edge_egress_unavailable,
                              Cause::edge_shutdown, Cause::edge_internal, Cause::reuse_stale}) {
        EXPECT_EQ(blame_of(cause), Blame::none) << cause::row(cause).name;
    }
    for (const Cause cause :
         {Cause::dns_nxdomain, Cause::connect_refused, Cause::tls_cert_expired,
          Cause::request_not_acked, Cause::resp_connection_lost, Cause::h2_connection_rst}) {
        EXPECT_EQ(blame_of(cause), Blame::unreachable) << cause::row(cause).name;
    }
    for (const Cause cause : {Cause::resp_bad_status_line, Cause::time_first_byte,
                              Cause::body_short_fin, Cause::h2_rst_stream}) {
        EXPECT_EQ(blame_of(cause), Blame::bad_answer) << cause::row(cause).name;
    }
}

TEST_F(BalancerTest, none_is_chosen_when_the_checks_have_taken_out_all) {
    make(Balance::round_robin, {1, 1});
    member(0).health.healthy = false;
    member(0).health.last_fault = Cause::connect_refused;
    EXPECT_EQ(choose(), 'b');
    EXPECT_EQ(upstream->choose_other(member(1), "", now()), nullptr);
    member(1).health.healthy = false;
    member(1).health.last_fault = Cause::origin_status;
    member(1).health.last_status = 500;
    EXPECT_EQ(choose(), '-');
    const cause::Failure none = upstream->none_healthy();
    EXPECT_EQ(none.cause(), Cause::connect_no_healthy_origin);
    EXPECT_EQ(*none.evidence().find("unhealthy_origins"),
              cause::EvidenceValue(std::vector<std::string>{
                  "http://a.test: TCP connection failed (connect.refused)",
                  "http://b.test: Response code mismatch (origin.status, status 500)"}));
}

TEST_F(BalancerTest, an_ejected_one_serves_when_the_checks_take_out_the_others) {
    make(Balance::round_robin, {1, 1});
    fail(0, Cause::connect_refused, 5);
    member(1).health.healthy = false;
    EXPECT_EQ(choose(), 'a') << "it may have come back; its real error says more than none";
    EXPECT_EQ(upstream->choose_other(member(1), "", now()), nullptr) << "no second try there";
}

}  // namespace
}  // namespace edgecase::origin
