#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "store/database.hpp"
#include "store/schema.hpp"
#include "store/test_support.hpp"

namespace edgecase::store {
namespace {

using namespace std::chrono_literals;
using record::RayId;
using record::RayIdMaker;

TEST(Overload, successes_are_dropped_first_and_counted_and_cases_are_kept) {
    TemporaryDirectory dir;
    Lines lines;
    StoreOptions options = options_of(dir.path(), lines);
    options.queue_blocks = 1;
    auto store = *Store::open(std::move(options));
    const auto sink = store->make_sink();
    RayIdMaker maker(1, 0);
    std::vector<RayId> cases;
    uint64_t successes = 0;
    while (store->counters().successes_dropped == 0) {
        for (int i = 0; i < 2000; ++i, ++successes) {
            sink->write(success_record(maker.make(wall_now())));
        }
        cases.push_back(maker.make(wall_now()));
        sink->write(case_record(cases.back()));
    }
    sink->flush();
    EXPECT_TRUE(eventually([&] {
        const auto counters = store->counters();
        return counters.records_written + counters.successes_dropped == successes + cases.size();
    }));
    EXPECT_TRUE(eventually([&] { return lines.contain("success records to keep up"); }));
    EXPECT_EQ(store->counters().cases_dropped, 0u);
    for (const RayId ray : cases) EXPECT_TRUE(has(dir.path(), ray));
}

TEST(Overload, cases_beyond_their_queue_are_lost_loudly_with_their_number) {
    TemporaryDirectory dir;
    Lines lines;
    StoreOptions options = options_of(dir.path(), lines);
    options.queue_cases = 10;
    auto store = *Store::open(std::move(options));
    const auto sink = store->make_sink();
    RayIdMaker maker(1, 0);
    for (int i = 0; i < 11; ++i) sink->write(case_record(maker.make(wall_now())));
    sink->flush();
    EXPECT_EQ(store->counters().cases_dropped, 11u);
    EXPECT_TRUE(eventually([&] { return lines.contain("LOST 11 cases"); }));
}

/// With the disk full in `fill`: one clear line, cases wait, and after `free` they are there.
void expect_survival_of_a_full_disk(const std::filesystem::path& dir,
                                    const std::function<void()>& fill,
                                    const std::function<void()>& free, std::string_view words) {
    Lines lines;
    auto store = *Store::open(options_of(dir, lines));
    const auto sink = store->make_sink();
    RayIdMaker maker(1, 0);
    const RayId before = maker.make(wall_now());
    sink->write(case_record(before));
    sink->flush();
    ASSERT_TRUE(eventually([&] { return has(dir, before); }));

    fill();
    const RayId during = maker.make(wall_now());
    sink->write(case_record(during));
    const std::string agent(1000, 'a');
    for (int i = 0; i < 2000; ++i) {
        record::RecordView record = success_record(maker.make(wall_now()));
        record.user_agent = agent;
        sink->write(record);
    }
    sink->flush();
    ASSERT_TRUE(eventually([&] { return lines.contain(words); }));
    EXPECT_TRUE(eventually([&] { return store->counters().write_errors >= 2; }));
    EXPECT_EQ(lines.count("trying again"), 1u) << "one line, not one per try";
    EXPECT_EQ(store->counters().cases_dropped, 0u);
    EXPECT_GT(store->counters().successes_dropped, 0u);

    free();
    const RayId after = maker.make(wall_now());
    sink->write(success_record(after));
    sink->flush();
    EXPECT_TRUE(
        eventually([&] { return has(dir, before) && has(dir, during) && has(dir, after); }));
    EXPECT_TRUE(eventually([&] { return lines.contain("writes again after"); }));
}

void fill_disk(const std::filesystem::path& filler) {
    const int file = open(filler.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const std::string bytes(4096, 'x');
    while (write(file, bytes.data(), bytes.size()) > 0) {
    }
    close(file);
}

TEST(DiskFull, gives_one_clear_line_and_the_cases_are_written_when_there_is_room_again) {
    TemporaryDirectory dir;
    if (mount("edgecase-test", dir.path().c_str(), "tmpfs", 0, "size=1m") != 0) {
        GTEST_SKIP() << "cannot mount a small tmpfs: " << strerror(errno);
    }
    const auto filler = dir.path() / "filler";
    expect_survival_of_a_full_disk(
        dir.path(), [&] { fill_disk(filler); }, [&] { std::filesystem::remove(filler); },
        "the disk is full");
    EXPECT_EQ(umount2(dir.path().c_str(), MNT_DETACH), 0);
}

TEST(DiskFull, a_limit_on_the_file_size_is_survived_the_same_way) {
    TemporaryDirectory dir;
    signal(SIGXFSZ, SIG_IGN);
    rlimit original{};
    getrlimit(RLIMIT_FSIZE, &original);
    expect_survival_of_a_full_disk(
        dir.path(),
        [&] {
            rlimit small = original;
            small.rlim_cur = 4096;
            setrlimit(RLIMIT_FSIZE, &small);
        },
        [&] { setrlimit(RLIMIT_FSIZE, &original); }, "it cannot be written");
}

TEST(DiskFull, at_the_start_neither_a_new_nor_an_existing_store_stops_the_proxying) {
    for (const bool existing : {true, false}) {
        TemporaryDirectory dir;
        if (mount("edgecase-test", dir.path().c_str(), "tmpfs", 0, "size=1m") != 0) {
            GTEST_SKIP() << "cannot mount a small tmpfs: " << strerror(errno);
        }
        Lines lines;
        RayIdMaker maker(1, 0);
        const RayId before = maker.make(wall_now());
        if (existing) {
            auto store = *Store::open(options_of(dir.path(), lines));
            store->make_sink()->write(case_record(before));
        }
        const auto filler = dir.path() / "filler";
        fill_disk(filler);
        auto opened = Store::open(options_of(dir.path(), lines));
        ASSERT_TRUE(opened) << opened.error();
        auto store = std::move(*opened);
        const RayId during = maker.make(wall_now());
        store->make_sink()->write(case_record(during));
        EXPECT_TRUE(eventually([&] { return lines.contain("the disk is full"); }));
        EXPECT_TRUE(eventually([&] { return store->counters().write_errors >= 2; }));
        EXPECT_EQ(lines.count("trying again"), 1u);
        std::filesystem::remove(filler);
        EXPECT_TRUE(eventually([&] { return has(dir.path(), during); })) << existing;
        EXPECT_EQ(has(dir.path(), before), existing);
        EXPECT_TRUE(lines.contain("writes again after"));
        EXPECT_EQ(store->counters().cases_dropped, 0u);
        store.reset();
        EXPECT_EQ(umount2(dir.path().c_str(), MNT_DETACH), 0);
    }
}

/// Makes the store refuse what `when` says, as a damaged file would.
void refuse(const std::filesystem::path& dir, const std::string& when) {
    auto database = Database::open(dir / kFileName, Database::Mode::write);
    ASSERT_TRUE(database);
    const auto done = database->run("CREATE TRIGGER refusal BEFORE " + when +
                                    " BEGIN SELECT RAISE(ABORT, 'refused'); END");
    ASSERT_TRUE(done) << done.error().message;
}

void allow(const std::filesystem::path& dir) {
    auto database = Database::open(dir / kFileName, Database::Mode::write);
    ASSERT_TRUE(database && database->run("DROP TRIGGER refusal"));
}

TEST(Lost, cases_at_the_end_are_told_with_the_true_reason) {
    TemporaryDirectory dir;
    Lines lines;
    auto store = *Store::open(options_of(dir.path(), lines));
    refuse(dir.path(), "INSERT ON cases");
    RayIdMaker maker(1, 0);
    for (int i = 0; i < 3; ++i) {
        store->make_sink()->write(case_record(maker.make(wall_now())));
    }
    ASSERT_TRUE(eventually([&] { return store->counters().write_errors > 0; }));
    store.reset();
    EXPECT_TRUE(lines.contain("LOST 3 cases at the end: it cannot be written (refused)"));
    EXPECT_FALSE(lines.contain("queue of cases is full"));
}

TEST(Lost, successes_that_the_file_refused_are_counted_when_it_takes_them_again) {
    TemporaryDirectory dir;
    Lines lines;
    auto store = *Store::open(options_of(dir.path(), lines));
    refuse(dir.path(), "INSERT ON blocks");
    RayIdMaker maker(1, 0);
    store->make_sink()->write(success_record(maker.make(wall_now())));
    ASSERT_TRUE(eventually([&] { return store->counters().successes_dropped == 1; }));
    allow(dir.path());
    const RayId after = maker.make(wall_now());
    store->make_sink()->write(success_record(after));
    EXPECT_TRUE(
        eventually([&] { return lines.contain("1 success record and 0 cases were lost"); }));
    EXPECT_TRUE(has(dir.path(), after));
    store.reset();
    EXPECT_FALSE(lines.contain("to keep up"));
}

TEST(Retention, that_fails_is_told_once_in_its_own_words_and_recording_goes_on) {
    TemporaryDirectory dir;
    Lines lines;
    RayIdMaker maker(1, 0);
    const auto old = wall_now() - std::chrono::hours(24 * 30);
    auto store = *Store::open(options_of(dir.path(), lines));
    refuse(dir.path(), "DELETE ON cases");
    store->make_sink()->write(case_record(maker.make(old), old));
    ASSERT_TRUE(eventually([&] { return lines.contain("old records cannot be removed"); }));
    RayId last;
    const auto until = std::chrono::steady_clock::now() + 2500ms;
    while (std::chrono::steady_clock::now() < until) {
        last = maker.make(wall_now());
        store->make_sink()->write(case_record(last));
        std::this_thread::sleep_for(20ms);
    }
    EXPECT_TRUE(eventually([&] { return has(dir.path(), last); }));
    EXPECT_EQ(lines.count(""), 1u) << "one line for the whole of it";
    EXPECT_EQ(store->counters().cases_dropped, 0u);
}

TEST(Locked, another_writer_delays_but_loses_nothing) {
    TemporaryDirectory dir;
    Lines lines;
    auto store = *Store::open(options_of(dir.path(), lines));
    const auto sink = store->make_sink();
    RayIdMaker maker(1, 0);
    const RayId success = maker.make(wall_now());
    const RayId failure = maker.make(wall_now());
    {
        auto other = Database::open(dir.path() / kFileName, Database::Mode::write);
        ASSERT_TRUE(other->run("BEGIN IMMEDIATE"));
        sink->write(success_record(success));
        sink->write(case_record(failure));
        sink->flush();
        EXPECT_TRUE(eventually([&] { return lines.contain("another process keeps it locked"); }));
        ASSERT_TRUE(other->run("COMMIT"));
    }
    EXPECT_TRUE(eventually([&] { return has(dir.path(), success) && has(dir.path(), failure); }));
    EXPECT_EQ(store->counters().successes_dropped + store->counters().cases_dropped, 0u);
}

TEST(Readers, an_open_read_does_not_hold_up_the_writer) {
    TemporaryDirectory dir;
    Lines lines;
    auto store = *Store::open(options_of(dir.path(), lines));
    const auto sink = store->make_sink();
    RayIdMaker maker(1, 0);
    auto reader = Database::open(dir.path() / kFileName, Database::Mode::read);
    ASSERT_TRUE(reader->run("BEGIN; SELECT count(*) FROM cases;"));
    const RayId ray = maker.make(wall_now());
    sink->write(case_record(ray));
    sink->flush();
    EXPECT_TRUE(eventually([&] { return has(dir.path(), ray); }, 1s));
    EXPECT_EQ(store->counters().write_errors, 0u);
}

/// Writes for ever, telling `pipe` of each ray and its time, flushing as a worker does.
[[noreturn]] void write_until_killed(const std::filesystem::path& dir, int pipe) {
    StoreOptions options;
    options.data_dir = dir;
    auto store = *Store::open(std::move(options));
    const auto sink = store->make_sink();
    RayIdMaker maker(1, 0);
    for (int i = 0;; ++i) {
        const RayId ray = maker.make(wall_now());
        if (i % 5 == 0) {
            sink->write(case_record(ray));
        } else {
            sink->write(success_record(ray));
        }
        const uint64_t value = ray.value();
        if (write(pipe, &value, sizeof(value)) < 0) _exit(1);
        if (i % 100 == 99) sink->flush();
        std::this_thread::sleep_for(1ms);
    }
}

TEST(Killed, with_sigkill_at_most_the_last_second_is_lost_and_the_file_is_intact) {
    TemporaryDirectory dir;
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    const pid_t child = fork();
    if (child == 0) write_until_killed(dir.path(), ends[1]);
    close(ends[1]);
    std::vector<RayId> made;
    const auto until = std::chrono::steady_clock::now() + 2500ms;
    uint64_t value = 0;
    while (std::chrono::steady_clock::now() < until &&
           read(ends[0], &value, sizeof(value)) == sizeof(value)) {
        made.emplace_back(value);
    }
    const auto killed_at = wall_now();
    ASSERT_EQ(kill(child, SIGKILL), 0);
    waitpid(child, nullptr, 0);
    close(ends[0]);

    auto source = open_source(dir.path());
    ASSERT_TRUE(source) << source.error();
    size_t expected = 0;
    for (const RayId ray : made) {
        if (ray.time() > killed_at - 1s) continue;
        ++expected;
        const auto found = (*source)->find(ray);
        ASSERT_TRUE(found) << found.error();
        ASSERT_TRUE(found->has_value()) << ray.to_string();
    }
    EXPECT_GT(expected, 100u);
    auto database = Database::open(dir.path() / kFileName, Database::Mode::write);
    ASSERT_TRUE(database);
    auto check = database->prepare("PRAGMA integrity_check");
    ASSERT_TRUE(*check->step());
    EXPECT_EQ(check->bytes(0), "ok");
}

}  // namespace
}  // namespace edgecase::store
