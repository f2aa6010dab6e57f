#include "access_log/access_log.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>
#include <vector>

#include "access_log/log_file.hpp"

namespace edgecase::access_log {
namespace {

class TemporaryDirectory {
  public:
    TemporaryDirectory() {
        std::string name = (std::filesystem::temp_directory_path() / "edgecase-XXXXXX").string();
        path_ = mkdtemp(name.data());
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory() {
        std::error_code error;
        std::filesystem::remove_all(path_, error);
    }
    std::string operator/(const char* name) const { return (path_ / name).string(); }

  private:
    std::filesystem::path path_;
};

std::string text_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return (std::ostringstream() << in.rdbuf()).str();
}

std::vector<std::string> lines_of(const std::string& path) {
    std::istringstream in(text_of(path));
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

record::Record some_record(uint64_t ray = 0x7a1b2c3d4e5f6789) {
    record::Record record;
    record.ray = record::RayId(ray);
    record.start = base::WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 28) +
                                  std::chrono::hours(20) + std::chrono::milliseconds(59'500));
    record.duration_us = 600'000;
    record.client = *ip::Endpoint::parse("192.0.2.7:4711");
    record.method = "GET";
    record.uri = "/a?x=1";
    record.protocol = "HTTP/1.1";
    record.referer = "https://a.example/";
    record.user_agent = "curl/8";
    record.edge_status = 200;
    record.response_body_bytes = 5;
    return record;
}

record::RecordView view_of(const record::Record& record) {
    record::RecordView view;
    view.ray = record.ray;
    view.start = record.start;
    view.method = record.method;
    view.uri = record.uri;
    view.protocol = record.protocol;
    view.edge_status = record.edge_status;
    return view;
}

std::string combined(const record::Record& record) {
    std::string line;
    append_line(line, record, Format::combined);
    return line;
}

class NoSink final : public record::Sink {
  public:
    void write(const record::RecordView&) override {}
    void flush() override {}
};

void write_some(AccessLog& log, uint64_t first, uint64_t count) {
    const auto sink = log.make_sink(std::make_unique<NoSink>());
    for (uint64_t ray = first; ray < first + count; ++ray) {
        const record::Record record = some_record(ray);
        sink->write(view_of(record));
    }
    sink->flush();
}

void wait_for(const std::function<bool()>& fact) {
    for (int i = 0; i < 1000 && !fact(); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    EXPECT_TRUE(fact());
}

TEST(LogLine, combined_is_as_nginx_writes_it) {
    EXPECT_EQ(combined(some_record()),
              "192.0.2.7 - - [28/Nov/2026:20:01:00 +0000] \"GET /a?x=1 HTTP/1.1\" 200 5 "
              "\"https://a.example/\" \"curl/8\"\n");
    record::Record record = some_record();
    record.protocol = "HTTP/2";
    record.referer.clear();
    record.user_agent.clear();
    EXPECT_EQ(combined(record),
              "192.0.2.7 - - [28/Nov/2026:20:01:00 +0000] \"GET /a?x=1 HTTP/2.0\" 200 5 \"-\" "
              "\"-\"\n");
    record.method.clear();
    EXPECT_TRUE(combined(record).contains("\"-\" 200 5"));
}

TEST(LogLine, what_could_break_a_line_is_escaped_as_nginx_does) {
    record::Record record = some_record();
    record.user_agent = "a\"b\\c\td\x7f\xc3\xa9\ne";
    EXPECT_TRUE(combined(record).ends_with("\"a\\x22b\\x5Cc\\x09d\\x7F\\xC3\\xA9\\x0Ae\"\n"));
    record.uri = "/\x1b[2J";
    EXPECT_TRUE(combined(record).contains("GET /\\x1B[2J HTTP/1.1"));
}

TEST(LogLine, credentials_are_in_neither_form) {
    record::Record record = some_record();
    record.uri = "/a?token=geheim&b=2";
    record.referer = "https://b.example/?password=geheim";
    std::string json;
    append_line(json, record, Format::json);
    EXPECT_EQ(std::ranges::count(json, '\n'), 1);
    EXPECT_EQ(nlohmann::json::parse(json)["ClientRequestURI"], "/a?token=[redacted]&b=2");
    for (const std::string& line : {json, combined(record)}) {
        EXPECT_FALSE(line.contains("geheim")) << line;
    }
}

TEST(AccessLog, every_record_is_a_line_of_a_file_with_mode_0640) {
    const TemporaryDirectory directory;
    const std::string path = directory / "access.log";
    const mode_t before = umask(0077);
    {
        auto log = AccessLog::open({.path = path, .log = {}});
        umask(before);
        ASSERT_TRUE(log) << log.error();
        write_some(**log, 1, 3000);
        wait_for([&] { return (*log)->counters().lines == 3000; });
        write_some(**log, 3001, 10);
    }
    EXPECT_EQ(lines_of(path).size(), 3010u);
    struct stat status{};
    ASSERT_EQ(stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0640u);
}

TEST(AccessLog, a_renamed_file_is_left_whole_and_the_next_lines_go_to_a_new_one) {
    const TemporaryDirectory directory;
    const std::string path = directory / "access.log";
    {
        auto log = AccessLog::open({.path = path, .log = {}});
        ASSERT_TRUE(log);
        write_some(**log, 1, 100);
        wait_for([&] { return (*log)->counters().lines == 100; });
        std::filesystem::rename(path, path + ".1");
        write_some(**log, 101, 100);
        wait_for([&] { return (*log)->counters().lines == 200; });
        (*log)->reopen();
        wait_for([&] { return std::filesystem::exists(path); });
        write_some(**log, 201, 50);
    }
    EXPECT_EQ(lines_of(path + ".1").size(), 200u);
    EXPECT_EQ(lines_of(path).size(), 50u);
}

TEST(AccessLog, says_what_cannot_be_written_to) {
    const TemporaryDirectory directory;
    for (const std::string& path :
         {directory / "no/such", directory / ".", std::string("/dev/null")}) {
        const auto log = AccessLog::open({.path = path, .log = {}});
        ASSERT_FALSE(log) << path;
        EXPECT_TRUE(log.error().contains(path)) << log.error();
    }
}

TEST(AccessLog, what_there_is_no_room_for_is_counted) {
    const TemporaryDirectory directory;
    auto log = AccessLog::open({.path = directory / "access.log", .queue_blocks = 0, .log = {}});
    ASSERT_TRUE(log);
    write_some(**log, 1, 100);
    EXPECT_EQ((*log)->counters().dropped, 100u);
}

/// A file that may not grow beyond so many bytes: as on a full disk a write is cut short, and the
/// next one fails.
class Limit {
  public:
    explicit Limit(rlim_t bytes) {
        getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{bytes, before_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
        handler_ = std::signal(SIGXFSZ, SIG_IGN);
    }
    Limit(const Limit&) = delete;
    Limit& operator=(const Limit&) = delete;
    ~Limit() {
        setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }

  private:
    rlimit before_{};
    void (*handler_)(int);
};

TEST(LogFile, a_line_that_did_not_fit_is_written_to_its_end_later) {
    const TemporaryDirectory directory;
    const std::string path = directory / "access.log";
    LogFile file(path);
    ASSERT_TRUE(file.open());
    std::string lines = "one\ntwo\nthree\n";
    {
        const Limit limit(6);
        EXPECT_FALSE(file.write(lines));
        EXPECT_EQ(lines, "two\nthree\n");
        EXPECT_FALSE(file.write(lines));
        EXPECT_EQ(lines, "two\nthree\n");
        lines += "four\n";
    }
    EXPECT_TRUE(file.write(lines));
    EXPECT_EQ(lines, "");
    EXPECT_EQ(text_of(path), "one\ntwo\nthree\nfour\n");
}

TEST(LogFile, a_line_begun_in_a_renamed_file_goes_whole_into_the_next) {
    const TemporaryDirectory directory;
    const std::string path = directory / "access.log";
    LogFile file(path);
    ASSERT_TRUE(file.open());
    std::string lines = "one\ntwo\n";
    {
        const Limit limit(6);
        EXPECT_FALSE(file.write(lines));
    }
    std::filesystem::rename(path, path + ".1");
    ASSERT_TRUE(file.open());
    EXPECT_TRUE(file.write(lines));
    EXPECT_EQ(text_of(path + ".1"), "one\n");
    EXPECT_EQ(text_of(path), "two\n");
}

TEST(AccessLog, a_few_requests_at_a_time_do_not_use_up_the_room_that_waits) {
    const TemporaryDirectory directory;
    auto log = AccessLog::open({.path = directory / "access.log",
                                .format = Format::combined,
                                .queue_blocks = 4,
                                .log = {}});
    ASSERT_TRUE(log);
    {
        const Limit limit(100);
        write_some(**log, 1, 10);
        wait_for([&] { return (*log)->counters().errors >= 2; });
        for (uint64_t ray = 11; ray <= 60; ++ray) write_some(**log, ray, 1);
    }
    wait_for([&] { return (*log)->counters().lines == 60; });
    EXPECT_EQ((*log)->counters().dropped, 0u);
}

TEST(AccessLog, a_full_disk_is_told_once_and_survived) {
    const TemporaryDirectory directory;
    const std::string path = directory / "access.log";
    std::mutex mutex;
    std::vector<std::string> said;
    const auto log_line = [&](const std::string& line) {
        const std::scoped_lock lock(mutex);
        said.push_back(line);
    };
    {
        auto log = AccessLog::open({.path = path, .format = Format::combined, .log = log_line});
        ASSERT_TRUE(log);
        {
            const Limit limit(100);
            write_some(**log, 1, 10);
            wait_for([&] { return (*log)->counters().errors >= 2; });
            write_some(**log, 11, 10);
        }
        wait_for([&] { return (*log)->counters().lines == 20; });
    }
    EXPECT_EQ(lines_of(path).size(), 20u);
    for (const std::string& line : lines_of(path)) {
        EXPECT_TRUE(line.starts_with("- - - [") && line.ends_with("\"-\" \"-\"")) << line;
    }
    ASSERT_EQ(said.size(), 2u);
    EXPECT_TRUE(said[0].contains(path) && said[0].contains("proxying goes on")) << said[0];
    EXPECT_TRUE(said[1].contains("writes again")) << said[1];
}

}  // namespace
}  // namespace edgecase::access_log
