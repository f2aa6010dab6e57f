// Owns the two interfaces to wherever records live.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "record/case_filter.hpp"
#include "record/record.hpp"
#include "record/rollup.hpp"

namespace edgecase::record {

/// Where one worker thread puts its records. Never blocks, never fails the request.
class Sink {
  public:
    virtual ~Sink() = default;
    virtual void write(const RecordView& record) = 0;
    /// Called by the worker a few times a second, and before it ends: hands over what is buffered.
    virtual void flush() = 0;
};

/// Which rollups: of steps of time that begin in [since, until).
struct RollupQuery {
    base::WallTime since;
    base::WallTime until;
    /// A query that would give more steps than this gets longer ones.
    size_t maximum_steps = 400;
};

/// Requests of one kind that ended in one step of time. Texts die with the call that shows them.
struct Rollup {
    base::WallTime start;
    RollupKeyView key;
    uint64_t requests = 0;
    uint64_t failures = 0;
    uint64_t bytes_in = 0;
    uint64_t bytes_out = 0;
    std::string_view latency;  // LatencyHistogram::encode()
};

class Source {
  public:
    virtual ~Source() = default;
    /// Errors: a sentence (unreadable store). An unknown ray is an empty optional.
    virtual std::expected<std::optional<Record>, std::string> find(RayId ray) = 0;
    virtual std::expected<std::vector<Record>, std::string> cases(const CaseFilter& filter) = 0;
    /// Every record that can be read, successes and cases apart, each kind roughly by time.
    /// Errors: a sentence.
    virtual std::expected<void, std::string> visit_all(
        const std::function<void(const Record&)>& visit) = 0;
    /// Those that began at `since` or later, successes and cases apart, at most about `maximum` of
    /// each kind: then `since` is moved forward, so that both kinds are whole from there on. That
    /// time comes back. Errors: a sentence.
    virtual std::expected<base::WallTime, std::string> visit_recent(
        base::WallTime since, size_t maximum, const std::function<void(const Record&)>& visit) = 0;
    /// Rollups by time, and the length of their steps: the shortest that is still kept for
    /// `since`. They outlive the records. Errors: a sentence.
    virtual std::expected<std::chrono::seconds, std::string> visit_rollups(
        const RollupQuery& query, const std::function<void(const Rollup&)>& visit) = 0;
};

}  // namespace edgecase::record
