// Owns the access log of a running edge: a line for each request, written by a thread of its own.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "access_log/log_line.hpp"
#include "record/sink.hpp"

namespace edgecase::access_log {

struct AccessLogOptions {
    std::string path;
    Format format = Format::json;
    /// Blocks of records (64 KiB each) that may wait for the writer; more are dropped and counted.
    size_t queue_blocks = 256;
    /// Where it says that something is wrong, one line each, and not often.
    std::function<void(const std::string&)> log;
};

struct AccessLogCounters {
    uint64_t lines = 0;    // written
    uint64_t dropped = 0;  // there was no room for, or the file would not take them to the end
    uint64_t errors = 0;   // failed writes
};

class AccessLog {
  public:
    /// Errors: a sentence that names the path (not writable, no regular file).
    static std::expected<std::unique_ptr<AccessLog>, std::string> open(AccessLogOptions options);
    virtual ~AccessLog() = default;  // writes what was handed over, then ends the thread

    /// Writes to `beside` as well. For one worker thread; must not outlive the log.
    virtual std::unique_ptr<record::Sink> make_sink(std::unique_ptr<record::Sink> beside) = 0;
    /// The file has been renamed: the next lines go to a new one of the old name. Returns at once.
    virtual void reopen() = 0;
    virtual AccessLogCounters counters() const = 0;
};

}  // namespace edgecase::access_log
