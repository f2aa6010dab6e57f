#include <gtest/gtest.h>

#include <map>
#include <tuple>

#include "store/database.hpp"
#include "store/rollup_writer.hpp"
#include "store/store.hpp"
#include "store/test_support.hpp"

namespace edgecase::store {
namespace {

using record::Rollup;
using record::RollupFamily;

struct Sum {
    uint64_t requests = 0;
    uint64_t failures = 0;
    record::LatencyHistogram latency;
};
/// By family, host, label and status.
using Sums = std::map<std::tuple<RollupFamily, std::string, std::string, int>, Sum>;

Sums sums(const std::filesystem::path& dir, base::WallTime since, base::WallTime until,
          size_t maximum_steps = 400) {
    const auto source = open_source(dir);
    if (!source) return {};
    Sums all;
    const auto done =
        (*source)->visit_rollups({since, until, maximum_steps}, [&](const Rollup& rollup) {
            Sum& sum = all[{rollup.key.family, std::string(rollup.key.host),
                            std::string(rollup.key.label), rollup.key.edge_status}];
            sum.requests += rollup.requests;
            sum.failures += rollup.failures;
            EXPECT_TRUE(sum.latency.merge_encoded(rollup.latency));
        });
    EXPECT_TRUE(done);
    return all;
}

class RollupTest : public testing::Test {
  protected:
    std::unique_ptr<Store> open() {
        auto store = Store::open(options_of(directory_.path(), lines_));
        EXPECT_TRUE(store) << store.error();
        return std::move(*store);
    }

    TemporaryDirectory directory_;
    Lines lines_;
    const base::WallTime now_ = wall_now();
    const base::WallTime later_ = now_ + std::chrono::hours(1);
};

TEST_F(RollupTest, every_request_is_counted_over_restarts_and_workers) {
    for (int round = 0; round < 2; ++round) {
        const auto store = open();
        const auto one = store->make_sink();
        const auto two = store->make_sink();
        for (int i = 0; i < 500; ++i) {
            one->write(success_record(record::RayId(1)));
            two->write(i % 5 == 0 ? case_record(record::RayId(2))
                                  : success_record(record::RayId(3)));
        }
        one->flush();
        two->flush();
    }
    for (const size_t steps : {size_t{400}, size_t{20}, size_t{2}}) {
        const Sums found = sums(directory_.path(), now_ - std::chrono::minutes(1), later_, steps);
        ASSERT_EQ(found.size(), 3u) << steps;
        EXPECT_EQ(found.at({RollupFamily::origin, "shop.example", "", 200}).requests, 1800u);
        EXPECT_EQ(found.at({RollupFamily::origin, "shop.example", "", 520}).failures, 200u);
        const Sum& path = found.at({RollupFamily::path, "shop.example", "/ok", 0});
        EXPECT_EQ(path.requests, 2000u);
        EXPECT_EQ(path.failures, 200u);
        EXPECT_EQ(path.latency.total(), 2000u);
        EXPECT_EQ(path.latency.maximum_us(), 1000);
    }
}

TEST_F(RollupTest, old_times_are_told_in_coarser_steps) {
    using std::chrono::hours;
    using std::chrono::seconds;
    const auto step = [&](hours ago, hours span, size_t steps = 400) {
        return record::rollup_step({now_ - ago, now_ - ago + span, steps}, now_).length;
    };
    EXPECT_EQ(step(hours(1), hours(1)), seconds(60));
    EXPECT_EQ(step(hours(24), hours(24)), seconds(600));
    EXPECT_EQ(step(hours(24), hours(1)), seconds(60));
    EXPECT_EQ(step(hours(72), hours(1)), seconds(600));
    EXPECT_EQ(step(hours(24 * 7), hours(24 * 7)), seconds(3600));
    EXPECT_EQ(step(hours(24 * 30), hours(1)), seconds(3600));
}

TEST_F(RollupTest, what_the_finest_step_had_to_give_up_is_told_in_a_longer_one) {
    (void)open();
    auto database = Database::open(directory_.path() / "records.sqlite", Database::Mode::write);
    ASSERT_TRUE(database);
    auto writer = RollupWriter::prepare(*database);
    ASSERT_TRUE(writer);
    // With which a step of each length begins.
    const int64_t minute =
        std::chrono::floor<std::chrono::hours>(now_).time_since_epoch().count() * 60;
    record::RollupMinutes minutes;
    for (int64_t ago = 5; ago < 180; ++ago) {
        minutes[minute - ago].add(success_record(record::RayId(1)));
    }
    ASSERT_TRUE(writer->write(minutes));
    const auto source = open_source(directory_.path());
    ASSERT_TRUE(source);
    // From so many minutes ago on: the step, and how many requests.
    const auto asked = [&](int64_t since_ago) {
        uint64_t requests = 0;
        const auto step = (*source)->visit_rollups(
            {.since = base::WallTime(std::chrono::minutes(minute - since_ago)), .until = later_},
            [&](const Rollup& rollup) {
                if (rollup.key.family == RollupFamily::origin) requests += rollup.requests;
            });
        EXPECT_TRUE(step);
        return std::pair(*step, requests);
    };
    using std::chrono::seconds;
    EXPECT_EQ(asked(60), std::pair(seconds(60), uint64_t{56}));
    EXPECT_EQ(asked(200).first, seconds(60)) << "nothing was given up: it began then";
    const auto give_up = [&](int step, int64_t ago) {
        ASSERT_TRUE(database->run("DELETE FROM rollups WHERE step = " + std::to_string(step) +
                                  " AND start < " + std::to_string((minute - ago) * 60)));
    };
    give_up(60, 20);
    EXPECT_EQ(asked(20).first, seconds(60)) << "what is wanted is there";
    EXPECT_EQ(asked(60), std::pair(seconds(600), uint64_t{56}));
    give_up(60, 0);
    EXPECT_EQ(asked(60), std::pair(seconds(600), uint64_t{56}));
    EXPECT_EQ(asked(0).second, 0u) << "where nothing was, nothing is told";
    give_up(600, 0);
    EXPECT_EQ(asked(120), std::pair(seconds(3600), uint64_t{116}));
}

TEST_F(RollupTest, hosts_made_up_by_clients_share_one_row) {
    {
        const auto store = open();
        const auto sink = store->make_sink();
        for (size_t i = 0; i < kMaximumRollupRows * 2; ++i) {
            record::RecordView record = success_record(record::RayId(1));
            const std::string host = "Host" + std::to_string(i);
            record.host = host;
            sink->write(record);
        }
    }
    const Sums found = sums(directory_.path(), now_ - std::chrono::minutes(1), later_, 2);
    EXPECT_LE(found.size(), kMaximumRollupRows * 2 + 2);
    const std::string other(record::kOtherLabel);
    EXPECT_EQ(found.at({RollupFamily::origin, other, other, 200}).requests, kMaximumRollupRows);
    EXPECT_TRUE(found.contains({RollupFamily::path, "host7", "/ok", 0}));
}

TEST_F(RollupTest, a_row_takes_about_what_is_reckoned) {
    (void)open();
    const auto file = directory_.path() / "records.sqlite";
    auto database = Database::open(file, Database::Mode::write);
    ASSERT_TRUE(database);
    auto writer = RollupWriter::prepare(*database);
    ASSERT_TRUE(writer);
    const auto pages = [&] {
        return *database->number(
            "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, "
            "pragma_freelist_count, pragma_page_size");
    };
    const int64_t before = pages();
    uint64_t reckoned = 0;
    for (int64_t minute = 0; minute < 50; ++minute) {
        record::RollupMinutes minutes;
        for (int i = 0; i < 200; ++i) {
            record::RecordView record = success_record(record::RayId(1));
            const std::string host = "host" + std::to_string(i) + ".example.com";
            record.host = host;
            record.duration_us = 1000 + i * 997;
            minutes[minute].add(record);
        }
        const auto grown = writer->write(minutes);
        ASSERT_TRUE(grown);
        reckoned += *grown;
    }
    const auto real = static_cast<double>(pages() - before);
    EXPECT_NEAR(static_cast<double>(reckoned) / real, 1.0, 0.25);
    const auto forgotten = writer->forget(base::WallTime(std::chrono::hours(24 * 900)));
    ASSERT_TRUE(forgotten);
    EXPECT_GT(forgotten->rows, 0u);
}

TEST_F(RollupTest, what_is_too_old_goes_in_small_steps) {
    (void)open();
    auto database = Database::open(directory_.path() / "records.sqlite", Database::Mode::write);
    ASSERT_TRUE(database);
    auto writer = RollupWriter::prepare(*database);
    ASSERT_TRUE(writer);
    const int64_t minute =
        std::chrono::floor<std::chrono::minutes>(now_).time_since_epoch().count();
    record::RollupMinutes minutes;
    for (const int64_t ago : {0, 60 * 49, 60 * 50, 60 * 24 * 15}) {
        minutes[minute - ago].add(success_record(record::RayId(1)));
    }
    ASSERT_TRUE(writer->write(minutes));
    const auto count = [&](int step) {
        return *database->number("SELECT count(*) FROM rollups WHERE step = " +
                                 std::to_string(step));
    };
    EXPECT_EQ(count(60), 8);
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(writer->forget(now_));
    EXPECT_EQ(count(60), 2);
    EXPECT_EQ(count(600), 6);
    EXPECT_EQ(count(3600), 8);
}

TEST_F(RollupTest, records_are_written_though_they_cannot_be) {
    const auto store = open();
    auto database = Database::open(directory_.path() / "records.sqlite", Database::Mode::write);
    ASSERT_TRUE(database && database->run("DROP TABLE rollups"));
    const auto sink = store->make_sink();
    for (uint64_t round = 1; round <= 5; ++round) {
        sink->write(success_record(record::RayId(round)));
        sink->flush();
        // Writing that waited for the rollups would take a second for each.
        EXPECT_TRUE(eventually([&] { return store->counters().records_written == round; },
                               std::chrono::milliseconds(900)));
    }
    EXPECT_TRUE(eventually([&] { return lines_.contain("requests cannot be counted"); }));
    EXPECT_FALSE(lines_.contain("successes are not recorded"));
}

TEST_F(RollupTest, a_file_of_an_earlier_release_gains_them) {
    (void)open();
    {
        auto database = Database::open(directory_.path() / "records.sqlite", Database::Mode::write);
        ASSERT_TRUE(database && database->run("DROP TABLE rollups"));
    }
    EXPECT_TRUE(sums(directory_.path(), now_, later_).empty());
    {
        const auto store = open();
        store->make_sink()->write(success_record(record::RayId(1)));
    }
    EXPECT_EQ(sums(directory_.path(), now_ - std::chrono::minutes(1), later_).size(), 2u);
}

}  // namespace
}  // namespace edgecase::store
