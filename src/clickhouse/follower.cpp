#include <fmt/format.h>

#include <algorithm>

#include "clickhouse/reading.hpp"
#include "clickhouse/row_binary.hpp"
#include "clickhouse/schema.hpp"
#include "clickhouse/source.hpp"
#include "record/binary.hpp"
#include "record/remembered_rays.hpp"

namespace edgecase::clickhouse {
namespace {

// By the clocks of the servers, which may differ a little, and a batch may take a while.
constexpr uint32_t kOverlapSeconds = 15;
// Partitions of days that a case may belong to which is stored now: a spool drains for so long.
constexpr uint32_t kLateSeconds = 3 * 24 * 3600;

/// By the time at which the servers stored a case, looking back a little each time.
class LedgerFollower final : public record::Follower {
  public:
    LedgerFollower(Settings settings, std::string node)
        : reading_(std::move(settings)), node_(std::move(node)) {}

    std::expected<void, std::string> skip_present() override {
        reading_.begin();
        if (auto done = set_out(); !done) return done;
        const auto rows = reading_.ask(rays_since(stored_));
        if (!rows) return std::unexpected(rows.error());
        for (RowReader reader(*rows); !reader.empty();) {
            given_.add(record::RayId(reader.number<uint64_t>()));
        }
        return {};
    }

    void skip(record::RayId ray) override { given_.add(ray); }

    std::expected<std::vector<record::Record>, std::string> next() override {
        reading_.begin();
        if (stored_ == 0) {
            if (auto done = set_out(); !done) return std::unexpected(done.error());
        }
        const auto rows = reading_.ask(fmt::format(
            "SELECT toUInt32(stored), ray, record FROM {} WHERE {} ORDER BY stored, ray LIMIT {}",
            table(), condition(stored_), kRead));
        if (!rows) return std::unexpected(rows.error());
        std::vector<record::Record> cases;
        uint32_t newest = stored_;
        size_t read = 0;
        for (RowReader reader(*rows); !reader.empty();) {
            ++read;
            newest = std::max(newest, reader.number<uint32_t>());
            const record::RayId ray(reader.number<uint64_t>());
            const std::string_view bytes = reader.text();
            if (cases.size() >= kMaximumCases || !given_.add(ray)) continue;
            // One damaged row must not hide the others.
            if (auto one = record::BlockReader(bytes).next()) cases.push_back(std::move(*one));
        }
        if (cases.size() < kMaximumCases) {
            // More than can be read at once were stored lately: then there is no looking back.
            const uint32_t overlap = read < kRead ? kOverlapSeconds : 0;
            stored_ = std::max(stored_, newest - std::min(newest, overlap));
        }
        return cases;
    }

    std::vector<std::string> missing() const override { return reading_.missing(); }
    std::chrono::milliseconds pause() const override { return std::chrono::milliseconds(500); }

  private:
    static constexpr size_t kRead = 20'000;

    std::string table() const { return whole_table(reading_.settings(), table_of(Kind::cases)); }
    std::string condition(uint32_t stored) const {
        return fmt::format("stored >= toDateTime({}) AND EdgeStartTimestamp >= toDateTime({}){}",
                           stored, stored - std::min(stored, kLateSeconds),
                           node_.empty() ? "" : " AND node = " + literal(node_));
    }
    std::string rays_since(uint32_t stored) const {
        return fmt::format("SELECT ray FROM {} WHERE {}", table(), condition(stored));
    }

    std::expected<void, std::string> set_out() {
        const auto now = reading_.ask("SELECT toUInt32(now())");
        if (!now) return std::unexpected(now.error());
        RowReader reader(*now);
        stored_ = reader.number<uint32_t>() - kOverlapSeconds;
        return {};
    }

    Reading reading_;
    const std::string node_;  // only its cases; empty: all
    uint32_t stored_ = 0;     // seconds since 1970, by the servers; 0: not known yet
    record::RememberedRays given_;
};

}  // namespace

std::unique_ptr<record::Follower> make_follower(const Settings& settings, const std::string& node) {
    return std::make_unique<LedgerFollower>(settings, node);
}

}  // namespace edgecase::clickhouse
