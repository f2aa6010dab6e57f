#include "store/follower.hpp"

#include <gtest/gtest.h>

#include "store/schema.hpp"
#include "store/test_support.hpp"

namespace edgecase::store {
namespace {

using record::RayId;

std::unique_ptr<Store> open_store(const TemporaryDirectory& directory) {
    auto store = Store::open({.data_dir = directory.path(), .log = {}});
    EXPECT_TRUE(store) << store.error();
    return std::move(*store);
}

void store_cases(Store& store, std::vector<record::RecordView> cases) {
    const uint64_t before = store.counters().cases_written;
    const auto sink = store.make_sink();
    for (const auto& one : cases) sink->write(one);
    sink->flush();
    for (int i = 0; i < 500 && store.counters().cases_written < before + cases.size(); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
}

std::vector<uint64_t> rays(CaseFollower& follower) {
    std::vector<uint64_t> result;
    const auto cases = follower.next();
    EXPECT_TRUE(cases) << cases.error();
    if (cases) {
        for (const record::Record& one : *cases) result.push_back(one.ray.value());
    }
    return result;
}

using Rays = std::vector<uint64_t>;

TEST(CaseFollower, gives_each_case_once_in_the_order_of_its_storing) {
    const TemporaryDirectory directory;
    const auto store = open_store(directory);
    store_cases(*store, {case_record(RayId(100))});
    CaseFollower follower(directory.path());
    ASSERT_TRUE(follower.skip_present());
    EXPECT_EQ(rays(follower), Rays());
    // The second one began an hour ago.
    store_cases(*store, {case_record(RayId(300)),
                         case_record(RayId(50), wall_now() - std::chrono::hours(1)),
                         success_record(RayId(400))});
    EXPECT_EQ(rays(follower), Rays({300, 50}));
    EXPECT_EQ(rays(follower), Rays());
    store_cases(*store, {case_record(RayId(200))});
    EXPECT_EQ(rays(follower), Rays({200}));
}

TEST(CaseFollower, waits_for_a_store_to_appear_and_then_misses_nothing_of_it) {
    const TemporaryDirectory directory;
    CaseFollower follower(directory.path());
    EXPECT_FALSE(follower.skip_present());
    const auto nothing = follower.next();
    ASSERT_FALSE(nothing);
    EXPECT_TRUE(nothing.error().contains(directory.path().string())) << nothing.error();
    const auto store = open_store(directory);
    store_cases(*store,
                {case_record(RayId(1)), case_record(RayId(2), wall_now() - std::chrono::hours(1))});
    EXPECT_EQ(rays(follower), Rays({1}));  // the other one was over before
}

TEST(CaseFollower, goes_on_when_the_file_is_replaced) {
    const TemporaryDirectory directory;
    auto store = open_store(directory);
    CaseFollower follower(directory.path());
    ASSERT_TRUE(follower.skip_present());
    store_cases(*store, {case_record(RayId(1)), case_record(RayId(2))});
    EXPECT_EQ(rays(follower), Rays({1, 2}));
    store_cases(*store, {case_record(RayId(3))});
    store.reset();
    for (const char* const end : {"", "-wal", "-shm"}) {
        const std::string name = std::string(kFileName) + end;
        std::error_code not_there;
        std::filesystem::rename(directory.path() / name, directory.path() / ("old" + name),
                                not_there);
    }
    store = open_store(directory);
    // The second stands in the former file too.
    store_cases(*store, {case_record(RayId(4)), case_record(RayId(2))});
    Rays all = rays(follower);
    for (const uint64_t ray : rays(follower)) all.push_back(ray);
    EXPECT_EQ(all, Rays({3, 4}));

    store.reset();
    std::filesystem::remove(directory.path() / kFileName);
    EXPECT_FALSE(follower.next());
    store = open_store(directory);
    store_cases(*store, {case_record(RayId(5))});
    EXPECT_EQ(rays(follower), Rays({5}));
}

TEST(CaseFollower, says_that_a_file_of_an_earlier_release_has_no_order) {
    const TemporaryDirectory directory;
    auto store = open_store(directory);
    store.reset();
    {
        auto database = Database::open(directory.path() / kFileName, Database::Mode::write);
        ASSERT_TRUE(database);
        ASSERT_TRUE(database->run("DROP TABLE case_order"));
    }
    CaseFollower follower(directory.path());
    const auto skipped = follower.skip_present();
    ASSERT_FALSE(skipped);
    EXPECT_TRUE(skipped.error().contains("earlier Edgecase")) << skipped.error();
    store = open_store(directory);
    store_cases(*store, {case_record(RayId(1))});
    EXPECT_EQ(rays(follower), Rays({1}));
}

TEST(CaseFollower, goes_on_behind_cases_that_were_forgotten) {
    const TemporaryDirectory directory;
    const auto store = open_store(directory);
    CaseFollower follower(directory.path());
    ASSERT_TRUE(follower.skip_present());
    // Older than the store keeps: the retention removes it soon.
    store_cases(*store, {case_record(RayId(1), wall_now() - std::chrono::hours(24 * 30))});
    const auto gone = [&] {
        auto database = Database::open(directory.path() / kFileName, Database::Mode::read);
        return database && database->number("SELECT count(*) FROM case_order") == 0;
    };
    for (int i = 0; i < 500 && !gone(); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_TRUE(gone()) << "places of forgotten cases go too";
    store_cases(*store, {case_record(RayId(2))});
    EXPECT_EQ(rays(follower), Rays({2}));
}

}  // namespace
}  // namespace edgecase::store
