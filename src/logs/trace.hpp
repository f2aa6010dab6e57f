// Owns the search for what an origin's logs say of an edge's requests.
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "logs/access_formats.hpp"
#include "logs/coverage.hpp"
#include "logs/edge_formats.hpp"
#include "logs/edge_ray.hpp"
#include "logs/log_files.hpp"
#include "logs/skew.hpp"

namespace edgecase::logs {

/// One server's log: rotated files of one name, in one format.
struct AccessLog {
    std::string name;
    std::vector<LogFile> files;
    AccessFormatPtr format;
};
struct EdgeLog {
    std::string name;
    std::vector<LogFile> files;
    EdgeFormat format;
};
struct EventLog {
    std::string name;
    std::vector<LogFile> files;
    std::string format;
};

/// Gives every entry of an edge that keeps no files to the visitor, oldest first; may be called
/// more than once. Errors: one sentence.
using VisitEntries = std::function<std::expected<void, std::string>(
    const std::function<void(const EdgeEntryView&)>&)>;

struct TraceInput {
    std::vector<EdgeLog> edge;
    VisitEntries edge_store;  // may be empty
    std::string edge_store_name;
    std::vector<AccessLog> origin;
    std::vector<EventLog> events;
};

struct TraceOptions {
    std::optional<uint64_t> ray;  // this one alone
    bool all = false;             // successes too
    unsigned threads = 2;
    std::optional<int64_t> zone_us;  // of logs that name none; else as the access logs have it
    /// What is being done, and how many bytes of how many.
    std::function<void(std::string_view, uint64_t, uint64_t)> progress;
};

/// What was read of one log.
struct LogReport {
    enum class Role : uint8_t { edge, origin, events };
    LogReport(Role r, std::string n, std::string f, size_t count)
        : role(r), name(std::move(n)), format(std::move(f)), files(count) {}
    Role role;
    std::string name;
    std::string format;
    size_t files;
    uint64_t lines = 0;  // that say something
    Unread unread;
    Coverage coverage;
    bool has_rays = false;            // origin: some line had a Ray ID
    uint64_t lines_without_ray = 0;   // origin
    std::vector<std::string> damage;  // one sentence each
};

struct TraceResult {
    std::vector<TextPool> texts;  // of the rays
    std::vector<TracedRay> rays;  // failed ones, in order of time; all of them if asked for
    uint64_t requests = 0;
    uint64_t failed = 0;
    uint64_t duplicates = 0;   // entries of the edge that came twice, not counted
    uint64_t passed_over = 0;  // failures beyond kMaximumRays: counted, not traced
    std::vector<LogReport> logs;
    Skew skew;
    uint64_t events_passed_over = 0;
    static constexpr size_t kMaximumRays = 300'000;
};

/// A response that the edge made, an error passed on, or one that the client did not wait for. What
/// was no visitor's request (cache lookups) does not count.
/// Source: Cloudflare, Origin analytics.
bool is_failure(const EdgeEntryView& entry);

/// Errors: one sentence (a file that cannot be read).
std::expected<TraceResult, std::string> trace(const TraceInput& input, const TraceOptions& options);

}  // namespace edgecase::logs
