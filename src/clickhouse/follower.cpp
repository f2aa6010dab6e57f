#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "clickhouse/progress.hpp"
#include "clickhouse/reading.hpp"
#include "clickhouse/row_binary.hpp"
#include "clickhouse/rows.hpp"
#include "clickhouse/schema.hpp"
#include "clickhouse/source.hpp"
#include "record/binary.hpp"
#include "record/remembered_rays.hpp"

namespace edgecase::clickhouse {
namespace {

using record::RayId;

// Partitions of days that a case may belong to which is stored now: a spool drains for so long.
constexpr uint32_t kLateSeconds = 3 * 24 * 3600;

/// By the time at which the servers stored a case, looking back a little each time.
class LedgerFollower final : public record::Follower {
  public:
    LedgerFollower(Settings settings, std::string node, size_t rows_at_once)
        : reading_(std::move(settings)), node_(std::move(node)), rows_at_once_(rows_at_once) {}

    std::expected<void, std::string> skip_present() override {
        reading_.begin();
        progress_.reset();
        if (auto done = set_out(); !done) return done;
        const Progress before = *progress_;
        while (true) {
            const auto rays = new_rays(rows_at_once_);
            if (!rays) {
                progress_ = before;
                return std::unexpected(rays.error());
            }
            for (const RayId ray : *rays) given_.add(ray);
            if (rays->size() < rows_at_once_) return {};
        }
    }

    void skip(RayId ray) override { given_.add(ray); }

    std::expected<std::vector<record::Record>, std::string> next() override {
        reading_.begin();
        if (auto done = set_out(); !done) return std::unexpected(done.error());
        const Progress before = *progress_;
        auto rays = new_rays(kMaximumCases);
        auto cases = rays ? records_of(*rays) : std::unexpected(std::move(rays.error()));
        if (!cases) progress_ = before;
        return cases;
    }

    std::vector<std::string> take_missing() override { return reading_.take_missing(); }
    std::chrono::milliseconds pause() const override { return std::chrono::milliseconds(500); }

  private:
    std::expected<void, std::string> set_out() {
        if (progress_) return {};
        const auto now = reading_.ask("SELECT toUInt32(now())");
        if (!now) return std::unexpected(now.error());
        RowReader reader(*now);
        const auto second = reader.number<uint32_t>();
        progress_.emplace(
            Progress::Place{.stored = second - std::min(second, Progress::kOverlapSeconds)});
        return {};
    }

    /// Which were not given yet, at most `most`; when they are fewer, there are no more.
    std::expected<std::vector<RayId>, std::string> new_rays(size_t most) {
        std::vector<RayId> rays;
        while (true) {
            const auto rows = reading_.ask(
                fmt::format("SELECT toUInt32(stored), ray FROM {} WHERE {} ORDER BY stored, ray "
                            "LIMIT {}",
                            table(), condition(progress_->place()), rows_at_once_));
            if (!rows) return std::unexpected(rows.error());
            size_t read = 0;
            for (RowReader reader(*rows); !reader.empty(); ++read) {
                Progress::Place row;
                row.stored = reader.number<uint32_t>();
                row.ray = reader.number<uint64_t>();
                if (reader.failed()) {
                    return std::unexpected("the ledger gave rays that cannot be read");
                }
                progress_->read(row);
                if (given_.contains(RayId(row.ray))) continue;
                rays.emplace_back(row.ray);
                if (rays.size() == most) return rays;
            }
            if (read == rows_at_once_) continue;
            progress_->end_pass();
            return rays;
        }
    }

    std::expected<std::vector<record::Record>, std::string> records_of(
        const std::vector<RayId>& rays) {
        std::vector<record::Record> cases;
        if (rays.empty()) return cases;
        std::string wanted;
        for (const RayId ray : rays) {
            wanted += (wanted.empty() ? "" : ",") + std::to_string(ray.value());
        }
        const auto [first, last] = std::ranges::minmax(rays);
        const auto rows = reading_.ask(fmt::format(
            "SELECT ray, record FROM {} WHERE ray IN ({}) AND EdgeStartTimestamp >= toDateTime({}) "
            "AND EdgeStartTimestamp <= toDateTime({}){} ORDER BY stored, ray",
            table(), wanted, second_of(first), second_of(last), and_node()));
        if (!rows) return std::unexpected(rows.error());
        for (RowReader reader(*rows); !reader.empty();) {
            const RayId ray(reader.number<uint64_t>());
            const std::string_view bytes = reader.text();
            if (!given_.add(ray)) continue;
            // One damaged row must not hide the others.
            if (auto one = record::BlockReader(bytes).next()) cases.push_back(std::move(*one));
        }
        return cases;
    }

    std::string table() const { return whole_table(reading_.settings(), table_of(Kind::cases)); }
    std::string and_node() const { return node_.empty() ? "" : " AND node = " + literal(node_); }
    std::string condition(Progress::Place behind) const {
        const uint32_t stored = behind.stored;
        std::string sql =
            fmt::format("stored >= toDateTime({}) AND EdgeStartTimestamp >= toDateTime({}){}",
                        stored, stored - std::min(stored, kLateSeconds), and_node());
        if (behind.ray != 0) {
            sql += fmt::format(" AND (stored > toDateTime({}) OR ray > {})", stored, behind.ray);
        }
        return sql;
    }

    Reading reading_;
    const std::string node_;  // only its cases; empty: all
    const size_t rows_at_once_;
    std::optional<Progress> progress_;  // empty: the servers' time is not known yet
    record::RememberedRays given_;
};

}  // namespace

std::unique_ptr<record::Follower> make_follower(const Settings& settings, const std::string& node,
                                                size_t rows_at_once) {
    return std::make_unique<LedgerFollower>(settings, node, rows_at_once);
}

}  // namespace edgecase::clickhouse
