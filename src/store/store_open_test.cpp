#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "store/database.hpp"
#include "store/schema.hpp"
#include "store/test_support.hpp"

namespace edgecase::store {
namespace {

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

TEST(OpenErrors, of_a_reader_who_may_not_look_say_so) {
    TemporaryDirectory dir;
    ASSERT_EQ(open_error(dir.path()), "");
    const int status = in_child([&] {
        if (geteuid() == 0 && setuid(65534) != 0) return 77;
        return source_error(dir.path()) == "cannot read " + (dir.path() / kFileName).string() +
                                               ": permission denied; run this as the user that "
                                               "runs the edge"
                   ? 0
                   : 1;
    });
    if (status == 77 || geteuid() != 0) GTEST_SKIP() << "cannot become another user";
    EXPECT_EQ(status, 0);
}

TEST(Hostile, a_view_in_place_of_a_table_does_not_run) {
    TemporaryDirectory dir;
    const auto file = dir.path() / kFileName;
    ASSERT_EQ(open_error(dir.path()), "");
    {
        auto database = Database::open(file, Database::Mode::write);
        ASSERT_TRUE(database->run(
            "DROP TABLE cases; CREATE VIEW cases AS WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL "
            "SELECT i + 1 FROM n) SELECT i AS ray, x'00' AS bytes FROM n WHERE i < 0"));
    }
    const std::string expected = file.string() + " lacks the tables of a record store of Edgecase";
    EXPECT_EQ(source_error(dir.path()), expected);
    EXPECT_EQ(open_error(dir.path()), expected);
}

TEST(Hostile, a_pipe_or_a_link_named_like_the_file_is_refused_at_once) {
    TemporaryDirectory dir;
    const auto file = dir.path() / kFileName;
    ASSERT_EQ(mkfifo(file.c_str(), 0600), 0);
    EXPECT_EQ(source_error(dir.path()), "cannot read " + file.string() + ": it is no regular file");
    EXPECT_EQ(open_error(dir.path()), "cannot write " + file.string() + ": it is no regular file");
    std::filesystem::remove(file);
    std::filesystem::create_symlink("/etc/passwd", file);
    EXPECT_EQ(source_error(dir.path()), "cannot read " + file.string() + ": it is no regular file");
    EXPECT_EQ(open_error(dir.path()), "cannot write " + file.string() + ": it is a symbolic link");
}

TEST(Permissions, laxer_than_ours_are_tightened_but_not_of_a_directory_others_use) {
    TemporaryDirectory dir;
    const auto mode = [](const std::filesystem::path& path) {
        struct stat status{};
        return stat(path.c_str(), &status) == 0 ? status.st_mode & 0777 : 0;
    };
    ASSERT_EQ(open_error(dir.path()), "");
    const auto file = dir.path() / kFileName;
    chmod(file.c_str(), 0644);
    chmod(dir.path().c_str(), 0755);
    Lines lines;
    Store::open(options_of(dir.path(), lines))->reset();
    EXPECT_EQ(mode(file), 0600u);
    EXPECT_EQ(mode(dir.path()), 0700u);
    EXPECT_TRUE(lines.contain("it is now 0600"));
    EXPECT_TRUE(lines.contain("it is now 0700"));

    std::ofstream(dir.path() / "theirs") << "text";
    chmod(dir.path().c_str(), 0777);
    Store::open(options_of(dir.path(), lines))->reset();
    EXPECT_EQ(mode(dir.path()), 0777u);
    EXPECT_TRUE(lines.contain("can be written by other users"));
}

}  // namespace
}  // namespace edgecase::store
