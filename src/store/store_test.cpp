#include "store/store.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>

#include "store/database.hpp"
#include "store/retention.hpp"
#include "store/schema.hpp"
#include "store/test_support.hpp"

namespace edgecase::store {
namespace {

using namespace std::chrono_literals;
using record::CaseFilter;
using record::RayId;
using record::RayIdMaker;

std::unique_ptr<Store> open_store(const std::filesystem::path& dir, uint64_t bytes = 1ull << 30,
                                  std::chrono::hours age = 24h * 7) {
    StoreOptions options;
    options.data_dir = dir;
    options.retention_bytes = bytes;
    options.retention_age = age;
    auto store = Store::open(std::move(options));
    EXPECT_TRUE(store) << store.error();
    return std::move(*store);
}

std::unique_ptr<record::Source> source_of(const std::filesystem::path& dir) {
    auto source = open_source(dir);
    EXPECT_TRUE(source) << source.error();
    return std::move(*source);
}

bool has(record::Source& source, RayId ray) {
    const auto found = source.find(ray);
    EXPECT_TRUE(found) << found.error();
    return found && found->has_value() && (*found)->ray == ray;
}

std::vector<RayId> rays(record::Source& source, const CaseFilter& filter) {
    const auto records = source.cases(filter);
    EXPECT_TRUE(records) << records.error();
    std::vector<RayId> result;
    for (const auto& record : *records) result.push_back(record.ray);
    return result;
}

template <typename Change>
CaseFilter with(Change change) {
    CaseFilter filter;
    change(filter);
    return filter;
}

int64_t number(const std::filesystem::path& dir, std::string_view sql) {
    auto database = Database::open(dir / kFileName, Database::Mode::read);
    EXPECT_TRUE(database);
    const auto value = database->number(sql);
    EXPECT_TRUE(value) << value.error().message;
    return *value;
}

TEST(Store, a_case_and_a_success_are_readable_within_a_second_of_the_flush) {
    TemporaryDirectory dir;
    const auto store = open_store(dir.path());
    const auto sink = store->make_sink();
    const auto source = source_of(dir.path());
    RayIdMaker maker(1, 0);
    const RayId success = maker.make(wall_now());
    const RayId failure = maker.make(wall_now());
    sink->write(success_record(success));
    sink->write(case_record(failure));
    sink->flush();
    EXPECT_TRUE(eventually([&] { return has(*source, success) && has(*source, failure); }, 1s));
    EXPECT_EQ((*source->find(failure))->cause, cause::Cause::resp_empty_fin);
    EXPECT_EQ((*source->find(success))->uri, "/ok?x=1");
    EXPECT_FALSE(has(*source, RayId(failure.value() + 1)));
    EXPECT_FALSE(has(*source, RayId(1)));
    EXPECT_FALSE(has(*source, RayId(~uint64_t{0})));
}

TEST(Store, what_was_handed_over_is_written_before_it_closes_and_found_after_reopening) {
    TemporaryDirectory dir;
    RayIdMaker maker(1, 0);
    std::vector<RayId> made;
    for (int round = 0; round < 2; ++round) {
        const auto store = open_store(dir.path());
        const auto sink = store->make_sink();
        for (int i = 0; i < 3000; ++i) {
            made.push_back(maker.make(wall_now()));
            if (i % 10 == 0) {
                sink->write(case_record(made.back()));
            } else {
                sink->write(success_record(made.back()));
            }
        }
        sink->flush();
    }
    const auto source = source_of(dir.path());
    for (const RayId ray : made) ASSERT_TRUE(has(*source, ray)) << ray.to_string();
    EXPECT_EQ(number(dir.path(), "SELECT sum(count) FROM blocks"), 5400);
    EXPECT_EQ(number(dir.path(), "SELECT count(*) FROM cases"), 600);
}

TEST(Store, a_long_request_with_an_old_ray_is_found_beside_new_ones) {
    TemporaryDirectory dir;
    RayIdMaker maker(1, 0);
    const RayId old = maker.make(wall_now() - 1h);
    const RayId middle = maker.make(wall_now() - 30min);
    const RayId young = maker.make(wall_now());
    {
        const auto store = open_store(dir.path());
        const auto sink = store->make_sink();
        for (const RayId ray : {young, old, middle}) sink->write(success_record(ray));
        sink->flush();
    }
    const auto source = source_of(dir.path());
    for (const RayId ray : {young, old, middle}) EXPECT_TRUE(has(*source, ray));
    EXPECT_EQ(number(dir.path(), "SELECT count(*) FROM blocks"), 3);
}

TEST(Store, rays_beyond_the_sign_bit_keep_their_order) {
    static_assert(key_of(RayId(1)) < key_of(RayId(2)));
    static_assert(key_of(RayId(~uint64_t{0} >> 1)) < key_of(RayId((~uint64_t{0} >> 1) + 1)));
    TemporaryDirectory dir;
    const std::vector<RayId> made{RayId(0x7fffffffffffffff), RayId(0x8000000000000000),
                                  RayId(0x8000000000000001), RayId(0xffffffffffffffff)};
    {
        const auto store = open_store(dir.path());
        const auto sink = store->make_sink();
        for (const RayId ray : made) sink->write(success_record(ray));
        for (const RayId ray : made) sink->write(case_record(RayId(ray.value() ^ 0x100)));
        sink->flush();
    }
    const auto source = source_of(dir.path());
    for (const RayId ray : made) {
        EXPECT_TRUE(has(*source, ray));
        EXPECT_TRUE(has(*source, RayId(ray.value() ^ 0x100)));
    }
}

TEST(Store, two_workers_write_at_once_and_nothing_is_lost) {
    TemporaryDirectory dir;
    constexpr int kEach = 5000;
    std::array<std::vector<RayId>, 2> made;
    {
        const auto store = open_store(dir.path());
        std::vector<std::thread> workers;
        for (unsigned worker = 0; worker < 2; ++worker) {
            workers.emplace_back([&, worker] {
                const auto sink = store->make_sink();
                RayIdMaker maker(1, worker);
                for (int i = 0; i < kEach; ++i) {
                    made[worker].push_back(maker.make(wall_now()));
                    if (i % 7 == 0) {
                        sink->write(case_record(made[worker].back()));
                    } else {
                        sink->write(success_record(made[worker].back()));
                    }
                    if (i % 1000 == 0) sink->flush();
                    if (i % 500 == 0) (void)store->counters();
                }
            });
        }
        for (std::thread& worker : workers) worker.join();
    }
    const auto source = source_of(dir.path());
    for (const auto& each : made) {
        for (const RayId ray : each) ASSERT_TRUE(has(*source, ray)) << ray.to_string();
    }
}

TEST(Store, counts_what_it_wrote) {
    TemporaryDirectory dir;
    const auto store = open_store(dir.path());
    const auto sink = store->make_sink();
    RayIdMaker maker(1, 0);
    for (int i = 0; i < 100; ++i) sink->write(success_record(maker.make(wall_now())));
    for (int i = 0; i < 10; ++i) sink->write(case_record(maker.make(wall_now())));
    sink->flush();
    EXPECT_TRUE(eventually([&] { return store->counters().records_written == 110; }));
    EXPECT_EQ(store->counters().cases_written, 10u);
    EXPECT_EQ(store->counters().successes_dropped + store->counters().cases_dropped, 0u);
}

TEST(Cases, are_filtered_and_come_newest_first) {
    TemporaryDirectory dir;
    RayIdMaker maker(1, 0);
    const base::WallTime start = wall_now() - 1h;
    std::vector<RayId> made;
    {
        const auto store = open_store(dir.path());
        const auto sink = store->make_sink();
        for (int i = 0; i < 6; ++i) {
            const base::WallTime time = start + std::chrono::minutes(i);
            made.push_back(maker.make(time));
            record::RecordView record = case_record(made.back(), time);
            record.host = i % 2 == 0 ? "Shop.example" : "api.example:8080";
            record.uri = i < 3 ? "/cart/items?x=1" : std::string_view("/c\0t", 4);
            if (i == 4) {
                record.cause = cause::Cause::reuse_stale;
                record.edge_status = 502;
            }
            if (i == 5) record.cause = cause::Cause::resp_headers_too_large;
            sink->write(record);
        }
    }
    const auto source = source_of(dir.path());
    using Rays = std::vector<RayId>;
    const auto& m = made;
    EXPECT_EQ(rays(*source, {}), (Rays{m[5], m[4], m[3], m[2], m[1], m[0]}));
    EXPECT_EQ(rays(*source, with([&](CaseFilter& f) { f.limit = 2; })), (Rays{m[5], m[4]}));
    EXPECT_EQ(rays(*source, with([&](CaseFilter& f) { f.since = start + 4min; })),
              (Rays{m[5], m[4]}));
    EXPECT_EQ(rays(*source, with([&](CaseFilter& f) { f.until = start + 1min; })),
              (Rays{m[1], m[0]}));
    EXPECT_EQ(rays(*source, with([&](CaseFilter& f) { f.status = 502; })), (Rays{m[4]}));
    EXPECT_EQ(rays(*source, with([&](CaseFilter& f) { f.cause = "resp"; })),
              (Rays{m[5], m[3], m[2], m[1], m[0]}));
    EXPECT_EQ(rays(*source, with([&](CaseFilter& f) { f.cause = "resp."; })),
              (Rays{m[5], m[3], m[2], m[1], m[0]}));
    EXPECT_EQ(rays(*source, with([&](CaseFilter& f) { f.cause = "resp.empty_fin"; })),
              (Rays{m[3], m[2], m[1], m[0]}));
    EXPECT_EQ(rays(*source, with([&](CaseFilter& f) { f.cause = "res"; })), Rays{});
    EXPECT_EQ(rays(*source, with([&](CaseFilter& f) { f.host = "SHOP.example"; })),
              (Rays{m[4], m[2], m[0]}));
    EXPECT_EQ(rays(*source, with([&](CaseFilter& f) { f.host = "api.example"; })),
              (Rays{m[5], m[3], m[1]}));
    EXPECT_EQ(rays(*source, with([&](CaseFilter& f) { f.host = "api.example:8080"; })),
              (Rays{m[5], m[3], m[1]}));
    EXPECT_EQ(rays(*source, with([&](CaseFilter& f) { f.host = "api"; })), Rays{});
    EXPECT_EQ(rays(*source, with([&](CaseFilter& f) { f.path = "/cart"; })),
              (Rays{m[2], m[1], m[0]}));
    EXPECT_EQ(rays(*source, with([&](CaseFilter& f) { f.path = std::string("/c\0", 3); })),
              (Rays{m[5], m[4], m[3]}));
    EXPECT_EQ(rays(*source, with([&](CaseFilter& f) { f.path = "/cart'; DROP TABLE cases"; })),
              Rays{});
    EXPECT_EQ(rays(*source, with([&](CaseFilter& f) {
                  f.status = 520;
                  f.cause = "resp";
                  f.host = "shop.example";
                  f.path = "/c";
              })),
              (Rays{m[2], m[0]}));
}

TEST(Retention, rows_older_than_the_age_go_and_younger_ones_stay) {
    TemporaryDirectory dir;
    RayIdMaker maker(1, 0);
    const auto old_time = wall_now() - 49h;
    const RayId old_success = maker.make(old_time);
    const RayId old_case = maker.make(old_time);
    const RayId success = maker.make(wall_now());
    const RayId failure = maker.make(wall_now());
    const auto store = open_store(dir.path(), 1ull << 30, 48h);
    const auto sink = store->make_sink();
    sink->write(success_record(old_success, old_time));
    sink->write(case_record(old_case, old_time));
    sink->write(success_record(success));
    sink->write(case_record(failure));
    sink->flush();
    EXPECT_TRUE(eventually([&] { return store->counters().rows_expired == 2; }));
    const auto source = source_of(dir.path());
    EXPECT_TRUE(eventually([&] { return has(*source, success) && has(*source, failure); }));
    EXPECT_FALSE(has(*source, old_success));
    EXPECT_FALSE(has(*source, old_case));
}

TEST(Retention, the_file_stops_growing_at_its_allowance_and_cases_outlive_successes) {
    TemporaryDirectory dir;
    constexpr uint64_t kAllowance = uint64_t{4} << 20;
    RayIdMaker maker(1, 0);
    const auto store = open_store(dir.path(), kAllowance);
    const auto sink = store->make_sink();
    const RayId first_case = maker.make(wall_now());
    sink->write(case_record(first_case));
    const std::string agent(500, 'a');
    RayId first_success;
    RayId last;
    for (int i = 0; i < 40'000; ++i) {  // some 24 MB
        last = maker.make(wall_now());
        if (i == 0) first_success = last;
        record::RecordView record = success_record(last);
        record.user_agent = agent;
        sink->write(record);
        while (i % 500 == 499 && store->counters().records_written + 5000 < uint64_t(i)) {
            std::this_thread::sleep_for(1ms);
        }
    }
    sink->flush();
    const auto source = source_of(dir.path());
    EXPECT_TRUE(eventually([&] { return has(*source, last); }));
    EXPECT_EQ(store->counters().successes_dropped, 0u);
    EXPECT_TRUE(eventually([&] {
        return number(dir.path(),
                      "SELECT page_count * page_size FROM pragma_page_count, "
                      "pragma_page_size") <= static_cast<int64_t>(kAllowance);
    }));
    EXPECT_TRUE(has(*source, last));
    EXPECT_TRUE(has(*source, first_case));
    EXPECT_FALSE(has(*source, first_success));
    EXPECT_GT(store->counters().rows_expired, 0u);
}

TEST(Retention, rollups_of_made_up_hosts_leave_room_for_records) {
    TemporaryDirectory dir;
    constexpr uint64_t kAllowance = uint64_t{4} << 20;
    RayIdMaker maker(1, 0);
    const auto store = open_store(dir.path(), kAllowance);
    const auto sink = store->make_sink();
    // Half an hour of 300 hosts a minute, each with a long name and a path of its own.
    const std::string name(150, 'h');
    for (int minute = 30; minute > 0; --minute) {
        for (int i = 0; i < 300; ++i) {
            const std::string host = name + std::to_string(minute * 1000 + i);
            record::RecordView record =
                success_record(maker.make(wall_now()), wall_now() - std::chrono::minutes(minute));
            record.host = host;
            sink->write(record);
        }
    }
    sink->flush();
    const std::string agent(500, 'a');
    for (int i = 0; i < 10'000; ++i) {  // some 6 MB
        record::RecordView record = success_record(maker.make(wall_now()));
        record.user_agent = agent;
        sink->write(record);
        while (i % 500 == 499 && store->counters().records_written + 5000 < uint64_t(i)) {
            std::this_thread::sleep_for(1ms);
        }
    }
    sink->flush();
    EXPECT_TRUE(eventually([&] {
        const auto bytes = number(dir.path(),
                                  "SELECT coalesce(sum(length(host) + length(label) + "
                                  "length(latency) + 24), 0) FROM rollups");
        return bytes > 0 && bytes <= static_cast<int64_t>(kAllowance / Retention::kRollupShare);
    }));
    EXPECT_GT(number(dir.path(), "SELECT sum(length(bytes)) FROM blocks"),
              static_cast<int64_t>(kAllowance / 4));
}

TEST(Retention, cases_beyond_half_of_the_allowance_make_room_too) {
    TemporaryDirectory dir;
    constexpr uint64_t kAllowance = uint64_t{2} << 20;
    RayIdMaker maker(1, 0);
    const auto store = open_store(dir.path(), kAllowance);
    const auto sink = store->make_sink();
    const std::string agent(1000, 'a');
    const RayId success = maker.make(wall_now());
    sink->write(success_record(success));
    RayId last;
    for (int i = 0; i < 6'000; ++i) {
        last = maker.make(wall_now());
        record::RecordView record = case_record(last);
        record.user_agent = agent;
        sink->write(record);
    }
    sink->flush();
    const auto source = source_of(dir.path());
    EXPECT_TRUE(eventually([&] {
        return has(*source, last) && number(dir.path(),
                                            "SELECT page_count * page_size FROM pragma_page_count, "
                                            "pragma_page_size") <= static_cast<int64_t>(kAllowance);
    }));
    EXPECT_TRUE(has(*source, success));
}

TEST(Retention, the_file_shrinks_when_it_is_reopened_with_a_smaller_allowance) {
    TemporaryDirectory dir;
    RayIdMaker maker(1, 0);
    {
        const auto store = open_store(dir.path());
        const auto sink = store->make_sink();
        const std::string agent(1000, 'a');
        for (int i = 0; i < 8'000; ++i) {
            record::RecordView record = success_record(maker.make(wall_now()));
            record.user_agent = agent;
            sink->write(record);
        }
    }
    const auto before = std::filesystem::file_size(dir.path() / kFileName);
    {
        const auto store = open_store(dir.path(), 1 << 20);
        EXPECT_TRUE(eventually([&] {
            return number(dir.path(),
                          "SELECT page_count * page_size FROM pragma_page_count, "
                          "pragma_page_size") <= 1 << 20;
        }));
    }
    EXPECT_GT(before, 7u << 20);
    EXPECT_LE(std::filesystem::file_size(dir.path() / kFileName), 1u << 20);
}

TEST(Open, makes_a_directory_and_a_file_that_only_the_owner_can_read) {
    TemporaryDirectory dir;
    const auto path = dir.path() / "a" / "b";
    const auto store = open_store(path);
    struct stat status{};
    ASSERT_EQ(stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0700u);
    for (const char* file : {"records.sqlite", "records.sqlite-wal", "records.sqlite-shm"}) {
        ASSERT_EQ(stat((path / file).c_str(), &status), 0) << file;
        EXPECT_EQ(status.st_mode & 0777, 0600u) << file;
    }
}

TEST(StoreRecent, what_is_too_much_moves_the_beginning_forward) {
    const TemporaryDirectory directory;
    Lines lines;
    const base::WallTime begin = wall_now() - std::chrono::minutes(100);
    {
        auto store = *Store::open(options_of(directory.path(), lines));
        const auto sink = store->make_sink();
        record::RayIdMaker maker(1, 0);
        for (int minute = 0; minute < 100; ++minute) {
            const base::WallTime at = begin + std::chrono::minutes(minute);
            sink->write(success_record(maker.make(at), at));
            sink->write(case_record(maker.make(at), at));
            sink->flush();
        }
    }
    const auto source = *open_source(directory.path());
    const auto visited = [&](base::WallTime since, size_t most) {
        std::pair<int, int> seen;  // successes, cases
        base::WallTime first = base::WallTime::max();
        const auto from = source->visit_recent(since, most, [&](const record::Record& one) {
            ++(record::is_case(one) ? seen.second : seen.first);
            first = std::min(first, one.start);
        });
        EXPECT_TRUE(from);
        EXPECT_GE(first, *from);
        return seen;
    };
    EXPECT_EQ(visited(begin - std::chrono::hours(1), 1000), std::pair(100, 100));
    EXPECT_EQ(visited(begin + std::chrono::minutes(90), 1000), std::pair(10, 10));
    const auto [successes, cases] = visited(begin, 30);
    EXPECT_EQ(successes, cases) << "both kinds are whole from there on";
    EXPECT_GE(cases, 29);
    EXPECT_LE(cases, 30);

    // Room ran short: successes go first, and failures before them have nothing to be compared
    // with.
    auto database = Database::open(directory.path() / kFileName, Database::Mode::write);
    ASSERT_TRUE(database && database->run("DELETE FROM blocks WHERE id <= 60"));
    EXPECT_EQ(visited(begin - std::chrono::hours(1), 1000), std::pair(40, 40));
}

}  // namespace
}  // namespace edgecase::store
