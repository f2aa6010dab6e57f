// Following a ledger. What needs a server takes part where EDGECASE_CLICKHOUSE names one:
// tests/ledger_suite_test.py starts one.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "clickhouse/client.hpp"
#include "clickhouse/progress.hpp"
#include "clickhouse/row_binary.hpp"
#include "clickhouse/rows.hpp"
#include "clickhouse/schema.hpp"
#include "clickhouse/seconds.hpp"
#include "clickhouse/source.hpp"

namespace edgecase::clickhouse {
namespace {

using record::RayId;

void read(Progress& progress, uint32_t stored, size_t rows) {
    for (uint64_t ray = 1; ray <= rows; ++ray) progress.read({stored, ray});
}

TEST(Progress, each_pass_begins_a_little_before_the_end_of_the_one_before) {
    Progress progress({1000});
    progress.end_pass();
    EXPECT_EQ(progress.place(), (Progress::Place{1000})) << "but not before the first";
    read(progress, 1100, 5);
    EXPECT_EQ(progress.place(), (Progress::Place{1100, 5})) << "goes on behind them";
    progress.end_pass();
    EXPECT_EQ(progress.place(), (Progress::Place{1100 - Progress::kOverlapSeconds}));
}

TEST(Progress, no_more_rows_come_again_than_are_remembered) {
    Progress progress({1000});
    read(progress, 1095, 10);
    read(progress, 1098, Progress::kMaximumAgain);
    read(progress, 1100, 1);
    progress.end_pass();
    EXPECT_EQ(progress.place(), (Progress::Place{1099}));
    read(progress, 1100, Progress::kMaximumAgain + 1);
    progress.end_pass();
    const Progress::Place last{1100, Progress::kMaximumAgain + 1};
    EXPECT_EQ(progress.place(), last);
    read(progress, 1101, 1);
    progress.end_pass();
    EXPECT_EQ(progress.place(), last) << "never back";
}

class FollowerTest : public testing::Test {
  protected:
    static constexpr size_t kRowsAtOnce = 3;

    void SetUp() override {
        const char* const url = std::getenv("EDGECASE_CLICKHOUSE");
        if (url == nullptr) GTEST_SKIP() << "EDGECASE_CLICKHOUSE names no server";
        settings_.urls = {url};
        settings_.database = "follower_" + std::to_string(getpid());
        client_.emplace(settings_);
        const auto made = migrate(*client_);
        ASSERT_TRUE(made) << made.error();
        record::RayIdMaker maker(9, 1);
        for (int i = 0; i < 20; ++i) rays_.push_back(maker.make(now_));
        follower_ = make_follower(settings_, "", kRowsAtOnce);
    }
    void TearDown() override {
        if (client_) (void)client_->ask(0, "DROP DATABASE " + identifier(settings_.database));
    }

    std::vector<RayId> rays(size_t first, size_t end) const {
        return {rays_.begin() + static_cast<ptrdiff_t>(first),
                rays_.begin() + static_cast<ptrdiff_t>(end)};
    }
    /// Cases that were stored in one second.
    void store(const std::vector<RayId>& rays, uint32_t stored) {
        std::string names;
        for (const Column& column : columns()) names += identifier(column.name) + ", ";
        std::string rows;
        RowMaker maker("fra-1", false);
        for (const RayId ray : rays) {
            record::Record record;
            record.ray = ray;
            record.start = now_;
            record.cause = cause::Cause::resp_empty_fin;
            maker.append(rows, std::move(record), 1);
            RowWriter(rows).number(stored);
        }
        insert("INSERT INTO " + table() + " (" + names + "stored) FORMAT RowBinary", rows);
    }
    void store_damaged(RayId ray, uint32_t stored) {
        std::string rows;
        RowWriter row(rows);
        row.number(ray.value());
        row.number(second_of(ray));
        row.text("not a record");
        row.number(stored);
        insert("INSERT INTO " + table() +
                   " (ray, EdgeStartTimestamp, record, stored) FORMAT RowBinary",
               rows);
    }
    std::vector<RayId> next() {
        std::vector<RayId> given;
        const auto cases = follower_->next();
        EXPECT_TRUE(cases) << cases.error();
        for (const record::Record& one : *cases) given.push_back(one.ray);
        return given;
    }

    const base::WallTime now_ = base::SystemClock().wall_now();
    const uint32_t second_ = seconds_of(now_);
    std::vector<RayId> rays_;
    std::unique_ptr<record::Follower> follower_;

  private:
    std::string table() const { return whole_table(settings_, table_of(Kind::cases)); }
    void insert(const std::string& sql, const std::string& rows) {
        const auto done = client_->insert(0, sql, rows, "follower-" + std::to_string(++inserts_),
                                          Client::Repeated::inserted);
        EXPECT_TRUE(done) << done.error().message;
    }

    Settings settings_;
    std::optional<Client> client_;
    int inserts_ = 0;
};

TEST_F(FollowerTest, many_cases_of_one_second_do_not_stop_it) {
    EXPECT_TRUE(next().empty());
    store(rays(2, 12), second_);
    EXPECT_EQ(next(), rays(2, 12));
    EXPECT_TRUE(next().empty());
    store(rays(12, 20), second_ + 1);
    EXPECT_EQ(next(), rays(12, 20));
    EXPECT_TRUE(next().empty());
}

TEST_F(FollowerTest, what_is_seen_late_is_given_though_many_come) {
    store(rays(2, 12), second_);
    EXPECT_EQ(next(), rays(2, 12));
    store(rays(0, 2), second_ - 5);
    EXPECT_EQ(next(), rays(0, 2));
    EXPECT_TRUE(next().empty());
}

TEST_F(FollowerTest, of_many_that_are_present_nothing_is_given_when_they_are_skipped) {
    store(rays(0, 10), second_);
    ASSERT_TRUE(follower_->skip_present());
    EXPECT_TRUE(next().empty());
    store(rays(10, 15), second_);
    EXPECT_EQ(next(), rays(10, 15));
}

TEST_F(FollowerTest, damaged_rows_hide_no_others) {
    for (size_t i = 0; i < 2 * kRowsAtOnce; ++i) store_damaged(rays_[i], second_);
    store(rays(10, 12), second_);
    EXPECT_EQ(next(), rays(10, 12));
    EXPECT_TRUE(next().empty());
}

}  // namespace
}  // namespace edgecase::clickhouse
