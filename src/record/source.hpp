// Owns the interface to wherever records live.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "record/case_filter.hpp"
#include "record/record.hpp"
#include "record/rollup.hpp"

namespace edgecase::record {

/// Which rollups: of steps of time that begin in [since, until).
struct RollupQuery {
    base::WallTime since;
    base::WallTime until;
    /// A query that would give more steps than this gets longer ones.
    size_t maximum_steps = 400;
    std::string node{};  // only what that edge counted; empty: all
    bool with_paths = true;
    /// Only steps that end by `until`; as far as it moves back for that, `since` does.
    bool whole_steps = false;
};

/// Requests of one kind that ended in one step of time; there may be several of the same kind.
/// Texts die with the call that shows them.
struct Rollup {
    base::WallTime start;
    RollupKeyView key;
    uint64_t requests = 0;
    uint64_t failures = 0;
    uint64_t bytes_in = 0;
    uint64_t bytes_out = 0;
    std::string_view latency;  // LatencyHistogram::encode()
};

/// An edge that writes into a ledger which it shares with others, and what it last said of itself.
struct Node {
    std::string name;
    std::string colo;
    std::string version;
    unsigned node_id = 0;  // in its Ray IDs
    base::WallTime started;
    base::WallTime seen;
    uint64_t recorded = 0;  // since its start
    uint64_t shipped = 0;
    uint64_t waiting = 0;  // in its own store
    uint64_t lost = 0;     // they had waited too long

    /// It reports every ten to thirty seconds.
    static constexpr std::chrono::minutes kSilence{2};
    bool is_silent(base::WallTime now) const { return seen < now - kSilence; }
};

/// For one thread.
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
    /// Rollups in any order, those of paths perhaps added up as of the first step, and the length
    /// of the steps: the shortest that is still kept for `since`. They outlive the records. Errors:
    /// a sentence.
    virtual std::expected<std::chrono::seconds, std::string> visit_rollups(
        const RollupQuery& query, const std::function<void(const Rollup&)>& visit) = 0;
    /// Which edges write here; empty where it is only one. Errors: a sentence.
    virtual std::expected<std::vector<Node>, std::string> nodes() { return std::vector<Node>(); }
    /// Which parts did not take part in one of the answers since this was called last, each as a
    /// sentence's subject: `shard 2 (10.0.0.2:9000)`. Empty: they are whole.
    virtual std::vector<std::string> take_missing() { return {}; }
};

}  // namespace edgecase::record
