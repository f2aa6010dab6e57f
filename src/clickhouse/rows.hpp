// Owns the columns of a record in ClickHouse, and its row.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "base/byte_buffer.hpp"
#include "record/record.hpp"
#include "record/rollup.hpp"

namespace edgecase::clickhouse {

/// What a row says beside its record: of whom it is, and under which names it is counted.
struct RowContext {
    std::string_view node;
    std::string_view record;  // encoded
    std::string_view host;    // of the rollups, in which made-up ones share a name
    std::string_view origin;
    std::string_view path_host;
    std::string_view path;
    uint64_t batch = 0;   // which it came with; of the edge
    uint32_t weight = 1;  // it stands for so many
};

struct Column {
    std::string_view name;  // as in Logpush where record::fields() has it
    std::string_view type;  // of ClickHouse, of the dialect that all versions share
};
std::span<const Column> columns();

/// Tells which kinds of a minute are counted by their own host and label: clients can make up as
/// many hosts and paths as they like.
class KindLimiter {
  public:
    static constexpr size_t kMaximumKinds = 300;  // in one minute, of each family
    /// Known at a time: records end in one minute or the next, and failures are shipped apart from
    /// successes, after an outage with hours between.
    static constexpr size_t kMaximumMinutes = 8;
    /// False: it is to be counted as `(other)`.
    bool knows(int64_t minute, const record::RollupKeyView& kind);

  private:
    struct Minute {
        int64_t number = 0;
        std::array<std::unordered_set<std::string>, 2> kinds;  // by family
    };
    Minute& minute_of(int64_t number);

    std::deque<Minute> minutes_;  // the one that was asked for last comes first
    std::string key_;
};

/// Makes rows of one node's records.
class RowMaker {
  public:
    explicit RowMaker(std::string node, bool redacts) : node_(std::move(node)), redacts_(redacts) {}
    const std::string& node() const { return node_; }
    /// Appends the row of `record`.
    void append(std::string& rows, record::Record record, uint64_t batch);

  private:
    const std::string node_;
    const bool redacts_;
    KindLimiter limiter_;
    base::ByteBuffer encoded_;
    std::string path_;
};

/// The second in which it ended, by which it is counted.
uint32_t end_of(const record::Record& record);

/// The second in which a ray was made: what rows are partitioned and found by.
uint32_t second_of(record::RayId ray);

}  // namespace edgecase::clickhouse
