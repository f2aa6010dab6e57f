#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <mutex>

#include "store/database.hpp"
#include "store/schema.hpp"
#include "store/test_support.hpp"

namespace edgecase::store {
namespace {

using namespace std::chrono_literals;
using record::RayId;
using record::RayIdMaker;

/// Log lines, from the writer thread.
class Lines {
  public:
    std::function<void(const std::string&)> callback() {
        return [this](const std::string& line) {
            const std::scoped_lock lock(mutex_);
            lines_.push_back(line);
        };
    }
    bool contain(std::string_view part) const {
        const std::scoped_lock lock(mutex_);
        for (const std::string& line : lines_) {
            if (line.contains(part)) return true;
        }
        return false;
    }
    size_t count(std::string_view part) const {
        const std::scoped_lock lock(mutex_);
        return static_cast<size_t>(std::ranges::count_if(
            lines_, [&](const std::string& line) { return line.contains(part); }));
    }

  private:
    mutable std::mutex mutex_;
    std::vector<std::string> lines_;
};

StoreOptions options_of(const std::filesystem::path& dir, Lines& lines) {
    StoreOptions options;
    options.data_dir = dir;
    options.log = lines.callback();
    return options;
}

std::string open_error(const std::filesystem::path& dir) {
    StoreOptions options;
    options.data_dir = dir;
    const auto store = Store::open(std::move(options));
    return store ? "" : store.error();
}

std::string source_error(const std::filesystem::path& dir) {
    const auto source = open_source(dir);
    return source ? "" : source.error();
}

bool has(const std::filesystem::path& dir, RayId ray) {
    const auto source = open_source(dir);
    if (!source) return false;
    const auto found = (*source)->find(ray);
    return found && found->has_value();
}

TEST(OpenErrors, are_one_sentence_that_names_the_path) {
    TemporaryDirectory dir;
    const auto file = dir.path() / "file";
    std::ofstream(file) << "text";
    EXPECT_EQ(open_error(file), "data directory " + file.string() +
                                    ": there is a file of that name, not a directory");
    EXPECT_EQ(open_error(file / "sub"), "data directory " + file.string() +
                                            ": there is a file of that name, not a directory");
    EXPECT_EQ(open_error(""), "the data directory has an empty name");
    EXPECT_EQ(open_error("/proc/edgecase"),
              "cannot create data directory /proc/edgecase: no such file or directory");

    const auto taken = dir.path() / "taken";
    std::filesystem::create_directories(taken / kFileName);
    EXPECT_EQ(open_error(taken),
              "cannot write " + (taken / kFileName).string() + ": it is a directory");

    const auto noise = dir.path() / "noise";
    std::filesystem::create_directory(noise);
    std::ofstream(noise / kFileName) << std::string(5000, 'x');
    EXPECT_EQ(open_error(noise),
              (noise / kFileName).string() +
                  " is not a record store of Edgecase (nor any SQLite database)");
    EXPECT_EQ(source_error(noise), open_error(noise));
}

TEST(OpenErrors, somebody_elses_database_and_a_newer_schema_are_left_alone) {
    TemporaryDirectory dir;
    const auto file = dir.path() / kFileName;
    std::ofstream(file).close();
    {
        auto database = Database::open(file, Database::Mode::write);
        ASSERT_TRUE(database->run("CREATE TABLE theirs (x)"));
    }
    EXPECT_EQ(open_error(dir.path()),
              file.string() + " is a SQLite database, but not a record store of Edgecase");
    std::filesystem::remove(file);
    EXPECT_EQ(open_error(dir.path()), "");
    {
        auto database = Database::open(file, Database::Mode::write);
        ASSERT_TRUE(database->run("PRAGMA user_version = 9"));
    }
    const std::string newer = file.string() +
                              " was written by a newer Edgecase (schema version 9, this program "
                              "knows 1)";
    EXPECT_EQ(open_error(dir.path()), newer);
    EXPECT_EQ(source_error(dir.path()), newer);
}

TEST(OpenErrors, of_readers_say_what_is_missing) {
    TemporaryDirectory dir;
    const auto missing = dir.path() / "missing";
    EXPECT_EQ(source_error(missing), "data directory " + missing.string() + " does not exist");
    EXPECT_EQ(source_error(dir.path()),
              "data directory " + dir.path().string() + " holds no record store (records.sqlite)");
    const auto file = dir.path() / "file";
    std::ofstream(file) << "text";
    EXPECT_EQ(source_error(file), "data directory " + file.string() + " is not a directory");
}

/// Runs `body` in a child and gives its exit status.
template <typename Body>
int in_child(Body body) {
    const pid_t child = fork();
    if (child == 0) _exit(body());
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(OpenErrors, an_unwritable_directory_says_permission_denied) {
    TemporaryDirectory dir;
    std::filesystem::permissions(dir.path(), std::filesystem::perms(0555));
    const int status = in_child([&] {
        if (geteuid() == 0 && setuid(65534) != 0) return 77;
        const std::string error = open_error(dir.path());
        return error == "cannot write " + (dir.path() / kFileName).string() + ": permission denied"
                   ? 0
                   : 1;
    });
    if (status == 77) GTEST_SKIP() << "cannot become another user";
    EXPECT_EQ(status, 0);
}

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

TEST(DiskFull, gives_one_clear_line_and_the_cases_are_written_when_there_is_room_again) {
    TemporaryDirectory dir;
    if (mount("edgecase-test", dir.path().c_str(), "tmpfs", 0, "size=1m") != 0) {
        GTEST_SKIP() << "cannot mount a small tmpfs: " << strerror(errno);
    }
    const auto filler = dir.path() / "filler";
    expect_survival_of_a_full_disk(
        dir.path(),
        [&] {
            const int file = open(filler.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
            const std::string bytes(4096, 'x');
            while (write(file, bytes.data(), bytes.size()) > 0) {
            }
            close(file);
        },
        [&] { std::filesystem::remove(filler); }, "the disk is full");
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
