#include "clickhouse/troubles.hpp"

#include <gtest/gtest.h>

#include "clickhouse/servers.hpp"

namespace edgecase::clickhouse {
namespace {

using namespace std::chrono_literals;
using Kind = QueryError::Kind;

const Troubles::Time kStart{1000s};

TEST(Troubles, two_servers_that_fail_in_turn_are_said_once_a_minute_each) {
    Troubles troubles;
    int lines = 0;
    for (auto now = kStart; now < kStart + 120s; now += 5s) {
        for (const size_t server : {size_t{0}, size_t{1}}) {
            lines += troubles.is_news({server, Kind::unreachable, 0}, now) ? 1 : 0;
        }
    }
    EXPECT_EQ(lines, 4);
}

TEST(Troubles, an_end_in_between_is_no_reason_to_say_them_again) {
    Troubles troubles;
    int lines = 0;
    for (auto now = kStart; now < kStart + 60s; now += 10s) {
        lines += troubles.is_news({0, Kind::unanswered, 0}, now) ? 1 : 0;
        troubles.away(now);
        lines += troubles.back(now + 2s) ? 1 : 0;
    }
    EXPECT_EQ(lines, 2) << "one that it fails, one that it is back";
}

TEST(Troubles, another_fault_is_said_at_once) {
    Troubles troubles;
    EXPECT_TRUE(troubles.is_news({0, Kind::unreachable, 0}, kStart));
    EXPECT_TRUE(troubles.is_news({0, Kind::refused, kUnknownTable}, kStart + 1s));
    EXPECT_FALSE(troubles.is_news({0, Kind::unreachable, 0}, kStart + 2s));
    troubles.away(kStart);
    EXPECT_EQ(troubles.back(kStart + 9s), 9s);
    EXPECT_FALSE(troubles.back(kStart + 10s));
}

TEST(Servers, one_of_two_that_is_dead_does_not_make_the_ledger_away) {
    Servers servers(2, 0);
    servers.failed(0, kStart);
    EXPECT_EQ(servers.next(kStart), 1u);
    EXPECT_FALSE(servers.have_all_failed());
    servers.failed(1, kStart);
    EXPECT_FALSE(servers.next(kStart));
    EXPECT_EQ(servers.next(kStart + 2s), 0u);
    EXPECT_TRUE(servers.have_all_failed()) << "though their rest is over";
    servers.answered(1);
    EXPECT_FALSE(servers.have_all_failed());
    EXPECT_EQ(servers.next(kStart), 1u);
}

}  // namespace
}  // namespace edgecase::clickhouse
