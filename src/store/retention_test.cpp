#include "store/retention.hpp"

#include <gtest/gtest.h>

#include "store/schema.hpp"
#include "store/test_support.hpp"

namespace edgecase::store {
namespace {

using std::chrono::hours;

/// A store with a case and a success of so long ago, that has been closed.
void write_old(const std::filesystem::path& dir, hours age) {
    Lines lines;
    StoreOptions options = options_of(dir, lines);
    options.retention_age = age * 10;
    auto store = *Store::open(std::move(options));
    record::RayIdMaker maker(1, 0);
    const auto then = wall_now() - age;
    const auto sink = store->make_sink();
    sink->write(case_record(maker.make(then), then));
    sink->write(success_record(maker.make(then), then));
    sink->flush();
    ASSERT_TRUE(eventually([&] { return store->counters().records_written == 2; }));
}

TEST(RetentionStep, what_was_not_removed_after_all_does_not_count_as_lost) {
    TemporaryDirectory dir;
    write_old(dir.path(), hours(48));
    auto database = open_for_writing(dir.path(), [](const std::string&) {});
    ASSERT_TRUE(database);
    Retention retention(*database, hours(24), uint64_t{1} << 30, true);
    ASSERT_TRUE(retention.begin());
    ASSERT_TRUE(
        database->run("CREATE TRIGGER refusal BEFORE DELETE ON blocks BEGIN SELECT "
                      "RAISE(ABORT, 'refused'); END"));
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(retention.step(wall_now()));
    ASSERT_TRUE(database->run("DROP TRIGGER refusal"));
    const auto step = retention.step(wall_now());
    ASSERT_TRUE(step) << step.error().message;
    EXPECT_EQ(step->unshipped_cases, 1u);
    EXPECT_EQ(step->unshipped_successes, 1u);
    EXPECT_FALSE(step->for_room);
}

TEST(RetentionStep, records_that_became_too_old_before_they_were_shipped_are_told_as_such) {
    TemporaryDirectory dir;
    write_old(dir.path(), hours(48));
    Lines lines;
    StoreOptions options = options_of(dir.path(), lines);
    options.ships = true;
    options.retention_age = hours(24);
    const auto store = *Store::open(std::move(options));
    EXPECT_TRUE(eventually([&] { return store->counters().unshipped == 2; }));
    EXPECT_TRUE(eventually([&] {
        return lines.contain(
            "too old: 2 records were removed before it had them; "
            "retention.age");
    }));
    EXPECT_FALSE(lines.contain("retention.bytes"));
}

}  // namespace
}  // namespace edgecase::store
