// Owns the rollups: how many requests of one kind ended in a stretch of time, and how quick they
// were.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "cause/table.hpp"
#include "record/latency_histogram.hpp"
#include "record/record.hpp"

namespace edgecase::record {

/// What the requests of a rollup have in common. Two families, so that paths, which are many, do
/// not multiply with the rest: `origin` tells origin, statuses and cause apart, `path` only paths.
enum class RollupFamily : uint8_t { origin = 0, path = 1 };

template <typename Text>
struct BasicRollupKey {
    RollupFamily family = RollupFamily::origin;
    Text host;   // as the client wrote it, lower case once stored
    Text label;  // the origin's URL, or the path's template
    uint16_t edge_status = 0;
    uint16_t origin_status = 0;
    cause::Cause cause = cause::Cause::none;

    bool operator==(const BasicRollupKey&) const = default;
};
using RollupKey = BasicRollupKey<std::string>;
using RollupKeyView = BasicRollupKey<std::string_view>;

RollupKeyView view_of(const RollupKey& key);

/// Stands for what there is no room to tell apart: hosts and paths come from clients.
constexpr std::string_view kOtherLabel = "(other)";
constexpr size_t kMaximumLabelBytes = 200;

/// Whether the origin is to blame, or the edge: not the client, and not what succeeded.
bool is_failure(cause::Cause cause);

struct RollupCounts {
    uint64_t requests = 0;
    uint64_t failures = 0;
    uint64_t bytes_in = 0;
    uint64_t bytes_out = 0;
    LatencyHistogram latency;  // until the response head was written to the client

    void merge(const RollupCounts& other);
};

struct RollupHash {
    using is_transparent = void;
    size_t operator()(const RollupKeyView& key) const;
    size_t operator()(const RollupKey& key) const { return (*this)(view_of(key)); }
};
struct RollupEqual {
    using is_transparent = void;
    bool operator()(const RollupKeyView& a, const RollupKey& b) const { return a == view_of(b); }
    bool operator()(const RollupKey& a, const RollupKeyView& b) const { return view_of(a) == b; }
    bool operator()(const RollupKey& a, const RollupKey& b) const { return a == b; }
};

/// Counts requests of one stretch of time. Bounded: what is one kind too many goes to `(other)`.
class RollupTable {
  public:
    using Map = std::unordered_map<RollupKey, RollupCounts, RollupHash, RollupEqual>;
    static constexpr size_t kMaximumKinds = 1024;

    RollupTable() = default;
    RollupTable(const RollupTable&) = delete;
    RollupTable& operator=(const RollupTable&) = delete;

    void add(const RecordView& record);
    void merge(const RollupTable& other);

    const Map& kinds() const { return kinds_; }
    bool empty() const { return kinds_.empty(); }
    void clear();

  private:
    RollupCounts& counts_of(const RollupKeyView& key, Map::value_type*& last);

    Map kinds_;
    Map::value_type* last_origin_ = nullptr;  // most requests are of the kind of the one before
    Map::value_type* last_path_ = nullptr;
    std::string path_;
};

/// By the minute in which the requests ended, since 1970.
using RollupMinutes = std::map<int64_t, RollupTable>;

/// The minute in which `record` ended.
int64_t minute_of(const RecordView& record);

}  // namespace edgecase::record
