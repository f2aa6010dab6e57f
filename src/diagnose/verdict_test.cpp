#include "diagnose/verdict.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "diagnose/remedy.hpp"

namespace edgecase::diagnose {
namespace {

using cause::Cause;
using probe::Kind;
using probe::Trial;

class VerdictTest : public testing::Test {
  protected:
    VerdictTest() {
        config::Pool pool;
        pool.origins.push_back({*http::OriginUrl::parse("https://origin.test"), 1});
        settings.pools.push_back(std::move(pool));
    }
    Trial& add(Cause cause, Kind kind = Kind::plain, bool fresh = true) {
        Trial& trial = trials.emplace_back();
        trial.kind = kind;
        trial.fresh = fresh;
        trial.method = "GET";
        trial.target = "/";
        trial.host = "origin.test";
        if (cause == Cause::none) {
            trial.answer.status = 200;
            trial.answer.whole = true;
        } else {
            trial.failure.emplace(cause, cause::Evidence());
        }
        return trial;
    }
    Verdict verdict() const { return judge({facts, trials, settings, "/", {}}); }
    static std::string all(const std::vector<std::string>& lines) {
        std::string text;
        for (const std::string& line : lines) text += line + "\n";
        return text;
    }

    probe::Facts facts;
    std::deque<Trial> trials;
    config::Settings settings;
};

TEST_F(VerdictTest, a_healthy_origin_is_not_accused_and_the_guides_six_are_ruled_out) {
    for (int i = 0; i < 10; ++i) add(Cause::none);
    const Verdict found = verdict();
    EXPECT_TRUE(found.findings.empty());
    EXPECT_EQ(found.ruled_out.size(), 6u);
}

TEST_F(VerdictTest, what_was_provoked_accuses_nobody) {
    add(Cause::none);
    add(Cause::resp_empty_fin, Kind::provoked);
    EXPECT_TRUE(verdict().findings.empty());
}

TEST_F(VerdictTest, an_origin_that_speaks_http2_alone_is_not_accused) {
    add(Cause::none).attempt.http2 = true;
    add(Cause::tls_no_alpn, Kind::varied).factor = "protocol";
    EXPECT_TRUE(verdict().findings.empty());
}

TEST_F(VerdictTest, the_neighbours_of_a_failure_on_a_shared_connection_count_less) {
    add(Cause::h2_goaway);
    add(Cause::h2_goaway);
    for (int i = 0; i < 10; ++i) add(Cause::h2_goaway_unprocessed, Kind::plain, false);
    ASSERT_FALSE(verdict().findings.empty());
    EXPECT_EQ(verdict().findings.front().cause, Cause::h2_goaway);
}

TEST_F(VerdictTest, refusals_after_a_crash_are_the_crash) {
    add(Cause::body_short_fin);
    for (int i = 0; i < 5; ++i) add(Cause::connect_refused);
    facts.restarts.seen = 1;
    facts.restarts.longest = std::chrono::milliseconds(300);
    const Finding first = verdict().findings.front();
    EXPECT_EQ(first.cause, Cause::body_short_fin);
    EXPECT_NE(all(first.evidence_for).find("refused for 300 ms"), std::string::npos);
}

TEST_F(VerdictTest, after_a_downgrade_it_is_the_failure_of_http1_that_visitors_see) {
    for (int i = 0; i < 4; ++i) add(Cause::h2_http11_required).attempt.http2 = true;
    for (int i = 0; i < 3; ++i) add(Cause::resp_empty_fin, Kind::varied).factor = "protocol";
    add(Cause::resp_empty_fin);
    EXPECT_EQ(verdict().findings.front().cause, Cause::resp_empty_fin);
}

TEST_F(VerdictTest, failures_that_follow_one_factor_say_so) {
    for (int i = 0; i < 12; ++i) add(Cause::none);
    for (int i = 0; i < 3; ++i) {
        Trial& trial = add(Cause::resp_empty_fin, Kind::varied);
        trial.factor = "user agent";
        trial.value = "a crawler";
    }
    const Verdict found = verdict();
    ASSERT_EQ(found.findings.size(), 1u);
    EXPECT_NE(all(found.findings.front().evidence_for).find("3 of 3 with a crawler, 0 of 12"),
              std::string::npos);
    EXPECT_LE(found.findings.front().likelihood, 0.6);
}

TEST_F(VerdictTest, an_address_that_this_machine_cannot_reach_accuses_nobody) {
    for (int i = 0; i < 3; ++i) add(Cause::none);
    add(Cause::connect_no_route, Kind::varied).factor = "origin address";
    probe::AddressFacts& address = facts.addresses.emplace_back();
    address.tried = address.failed = 2;
    address.cause = Cause::connect_no_route;
    EXPECT_TRUE(verdict().findings.empty());
    trials.clear();
    for (int i = 0; i < 3; ++i) add(Cause::connect_no_route);
    EXPECT_EQ(verdict().findings.front().cause, Cause::connect_no_route);
}

TEST_F(VerdictTest, nothing_is_ruled_out_by_a_few_answers) {
    for (int i = 0; i < 3; ++i) add(Cause::none);
    EXPECT_TRUE(verdict().ruled_out.empty());
}

TEST_F(VerdictTest, heads_near_the_limit_are_a_finding_before_they_fail) {
    add(Cause::none);
    facts.headers.bytes = 30'000;
    EXPECT_EQ(verdict().findings.front().cause, Cause::resp_headers_too_large);
    facts.headers.bytes = 29'999;
    EXPECT_TRUE(verdict().findings.empty());
}

TEST_F(VerdictTest, a_5xx_of_the_origins_own_counts_only_where_it_was_asked_for) {
    add(Cause::none).answer.status = 500;
    EXPECT_EQ(verdict().findings.front().cause, Cause::origin_status);
    trials.clear();
    add(Cause::none, Kind::varied).answer.status = 501;
    EXPECT_TRUE(verdict().findings.empty());
}

TEST(RemedyTest, every_cause_of_an_origin_has_a_topic_and_every_text_can_be_filled) {
    for (const std::string_view name : {"", "nginx", "apache", "node", "php", "gunicorn", "uvicorn",
                                        "puma", "caddy", "haproxy", "iis", "kestrel"}) {
        probe::Server server;
        server.name = name;
        for (const cause::Row& row : cause::table()) {
            const std::string text = remedy(topic_of(row.cause), server, {});
            EXPECT_EQ(text.find("{header"), std::string::npos);
            EXPECT_EQ(text.find("{idle"), std::string::npos);
        }
    }
}

TEST(RemedyTest, a_fix_has_the_values_of_the_case) {
    probe::Server node;
    node.name = "node";
    EXPECT_NE(remedy(Topic::keep_alive, node, {}).find("server.keepAliveTimeout = 910000"),
              std::string::npos);
    node.name = "nginx";
    node.behind = "php";
    EXPECT_NE(remedy(Topic::crash, node, {}).find("PHP-FPM"), std::string::npos);
}

}  // namespace
}  // namespace edgecase::diagnose
