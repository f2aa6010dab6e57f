#include "clickhouse/source.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.hpp"
#include "cause/table.hpp"
#include "clickhouse/reading.hpp"
#include "clickhouse/rollups.hpp"
#include "clickhouse/row_binary.hpp"
#include "clickhouse/rows.hpp"
#include "clickhouse/seconds.hpp"
#include "clickhouse/windows.hpp"
#include "record/binary.hpp"
#include "record/ray_time.hpp"

namespace edgecase::clickhouse {
namespace {

using record::CaseFilter;
using record::RayId;
using record::Record;
using record::Rollup;

constexpr size_t kMaximumCases = 10'000;
// A page of a list is asked for so often, at least so many rays each time but the first: more rows
// than that are not damaged one after the other.
constexpr size_t kMaximumRounds = 10;
constexpr size_t kRaysOfRound = 100;
using Visit = std::function<void(const Record&)>;

std::string and_begins_with(std::string_view column, std::string_view text) {
    return fmt::format(" AND substring({}, 1, {}) = {}", column, text.size(), literal(text));
}

std::string and_node(const std::string& node) {
    return node.empty() ? "" : " AND node = " + literal(node);
}

/// Times are those of the rays, by which rows are ordered and partitioned.
std::string conditions(const CaseFilter& filter) {
    std::string sql = "1";
    if (filter.since) {
        const RayId first = record::first_ray_at(*filter.since);
        sql += fmt::format(" AND ray >= {} AND EdgeStartTimestamp >= toDateTime({})", first.value(),
                           second_of(first));
    }
    if (filter.until) {
        const RayId last = record::first_ray_at(*filter.until + std::chrono::milliseconds(1));
        sql += fmt::format(" AND ray < {} AND EdgeStartTimestamp <= toDateTime({})", last.value(),
                           second_of(last));
    }
    if (filter.before) sql += fmt::format(" AND ray < {}", filter.before->value());
    if (filter.status) sql += fmt::format(" AND EdgeResponseStatus = {}", *filter.status);
    if (!filter.cause.empty()) {
        const std::string numbers = record::cause_numbers(filter.cause);
        sql += numbers.empty() ? " AND 0" : " AND cause IN (" + numbers + ")";
    }
    if (!filter.host.empty()) {
        const std::string host = base::to_lower(filter.host);
        sql += " AND (ClientRequestHost = " + literal(host) + " OR (1" +
               and_begins_with("ClientRequestHost", host + ":") + "))";
    }
    if (!filter.path.empty()) sql += and_begins_with("ClientRequestPath", filter.path);
    if (!filter.origin.empty()) sql += " AND OriginFailureOrigin = " + literal(filter.origin);
    return sql + and_node(filter.node);
}

class LedgerSource final : public record::Source {
  public:
    LedgerSource(Settings settings, std::string node)
        : reading_(std::move(settings)), node_(std::move(node)) {}

    /// Of the first server that answers.
    std::expected<void, std::string> check() {
        Client& client = reading_.client();
        for (size_t server = 0;; ++server) {
            const auto fine = check_schema(client, server);
            if (fine) return {};
            const bool answers = fine.error().kind == QueryError::Kind::refused;
            if (answers || server + 1 == client.servers()) {
                return std::unexpected(fine.error().message);
            }
        }
    }

    std::expected<std::optional<Record>, std::string> find(RayId ray) override {
        reading_.begin();
        std::string sql;
        for (const Kind kind : {Kind::cases, Kind::successes}) {
            if (!sql.empty()) sql += " UNION ALL ";
            sql += fmt::format(
                "SELECT record FROM {} WHERE ray = {} AND EdgeStartTimestamp = toDateTime({}){}",
                table(kind), ray.value(), second_of(ray), and_node(node_));
        }
        const auto rows = reading_.ask(sql);
        if (!rows) return std::unexpected(rows.error());
        RowReader reader(*rows);
        if (reader.empty()) return std::nullopt;
        auto record = record::BlockReader(reader.text()).next();
        if (!record) return std::unexpected("the ledger's record of that ray: " + record.error());
        return std::move(*record);
    }

    std::expected<std::vector<Record>, std::string> cases(const CaseFilter& filter) override {
        reading_.begin();
        const size_t limit = std::min(filter.limit, kMaximumCases);
        std::vector<Record> records;
        CaseFilter rest = filter;
        rest.limit = limit;
        for (size_t round = 0; round < kMaximumRounds; ++round) {
            const auto rays = append_cases(rest, limit, records);
            if (!rays) return std::unexpected(rays.error());
            if (rays->size() < rest.limit || records.size() >= limit) break;
            // Some rows were damaged; whoever gets fewer than the limit takes it for the end.
            rest.before = rays->back();
            rest.limit = std::max(limit - records.size(), kRaysOfRound);
        }
        return records;
    }

    std::expected<void, std::string> visit_all(const Visit& visit) override {
        reading_.begin();
        for (const Kind kind : {Kind::successes, Kind::cases}) {
            const auto minutes = count_minutes(reading_, kind, base::WallTime{});
            if (!minutes) return std::unexpected(minutes.error());
            if (auto done = visit_minutes(kind, *minutes, visit); !done) return done;
        }
        return {};
    }

    std::expected<base::WallTime, std::string> visit_recent(base::WallTime since, size_t maximum,
                                                            const Visit& visit) override {
        reading_.begin();
        const base::WallTime now = base::SystemClock().wall_now();
        std::vector<Minute> minutes[2];
        base::WallTime from = since;
        for (const Kind kind : {Kind::cases, Kind::successes}) {
            auto counted = count_minutes(reading_, kind, since);
            if (!counted) return std::unexpected(counted.error());
            auto& mine = minutes[static_cast<size_t>(kind)];
            mine = std::move(*counted);
            leave_out_future(mine, now);
            from = std::max(from, start_of_newest(mine, maximum, now));
        }
        const auto wanted = [&](const Record& record) {
            if (record.start >= from) visit(record);
        };
        for (const Kind kind : {Kind::successes, Kind::cases}) {
            const auto& mine = minutes[static_cast<size_t>(kind)];
            if (auto done = visit_minutes(kind, mine, wanted, from); !done) {
                return std::unexpected(std::move(done.error()));
            }
        }
        return from;
    }

    std::expected<std::chrono::seconds, std::string> visit_rollups(
        const record::RollupQuery& query,
        const std::function<void(const Rollup&)>& visit) override {
        reading_.begin();
        return clickhouse::visit_rollups(reading_, query, node_, visit);
    }

    std::expected<std::vector<record::Node>, std::string> nodes() override {
        reading_.begin();
        const auto rows = reading_.ask(
            fmt::format("SELECT node, max(seen), argMax(colo, seen), argMax(version, seen), "
                        "argMax(node_id, seen), argMax(started, seen), argMax(recorded, seen), "
                        "argMax(shipped, seen), argMax(waiting, seen), argMax(lost, seen) FROM {} "
                        "GROUP BY node ORDER BY node",
                        whole_table(reading_.settings(), "nodes")));
        if (!rows) return std::unexpected(rows.error());
        std::vector<record::Node> nodes;
        for (RowReader reader(*rows); !reader.empty();) {
            record::Node node;
            node.name = reader.text();
            node.seen = time_of(reader.number<uint32_t>());
            node.colo = reader.text();
            node.version = reader.text();
            node.node_id = reader.number<uint16_t>();
            node.started = time_of(reader.number<uint32_t>());
            node.recorded = reader.number<uint64_t>();
            node.shipped = reader.number<uint64_t>();
            node.waiting = reader.number<uint64_t>();
            node.lost = reader.number<uint64_t>();
            nodes.push_back(std::move(node));
        }
        return nodes;
    }

    std::vector<std::string> take_missing() override { return reading_.take_missing(); }

  private:
    std::string table(Kind kind) const { return whole_table(reading_.settings(), table_of(kind)); }

    /// Appends up to `limit` records of the newest `filter.limit` rays; gives those, newest first.
    std::expected<std::vector<RayId>, std::string> append_cases(const CaseFilter& filter,
                                                                size_t limit,
                                                                std::vector<Record>& records) {
        // First the rays alone: only the records of those that are wanted are read.
        const std::string where = conditions(filter) + and_node(node_);
        const auto answer = reading_.ask(
            fmt::format("SELECT DISTINCT ray FROM {} WHERE {} ORDER BY ray DESC LIMIT {}",
                        table(Kind::cases), where, filter.limit));
        if (!answer) return std::unexpected(answer.error());
        std::vector<RayId> rays;
        std::string wanted;
        for (RowReader reader(*answer); !reader.empty();) {
            rays.emplace_back(reader.number<uint64_t>());
            wanted += (wanted.empty() ? "" : ",") + std::to_string(rays.back().value());
        }
        if (rays.empty()) return rays;
        const auto rows = reading_.ask(fmt::format(
            "SELECT record FROM {} WHERE ray IN ({}) AND EdgeStartTimestamp >= toDateTime({}) AND "
            "EdgeStartTimestamp <= toDateTime({}) AND {} ORDER BY ray DESC LIMIT 1 BY ray, node",
            table(Kind::cases), wanted, second_of(rays.back()), second_of(rays.front()), where));
        if (!rows) return std::unexpected(rows.error());
        for (RowReader reader(*rows); !reader.empty() && records.size() < limit;) {
            // One damaged row must not hide the others.
            auto record = record::BlockReader(reader.text()).next();
            if (record) records.push_back(std::move(*record));
        }
        return rays;
    }

    std::expected<void, std::string> visit_minutes(Kind kind, const std::vector<Minute>& minutes,
                                                   const Visit& visit,
                                                   base::WallTime since = base::WallTime{}) {
        const uint64_t first = record::first_ray_at(since).value();
        for (const Window& window : windows_of(minutes)) {
            if (window.last < first) continue;
            const auto rows =
                reading_.ask(fmt::format("SELECT record FROM {} WHERE {}{} ORDER BY ray LIMIT 1 BY "
                                         "ray, node",
                                         table(kind), condition_of(window), and_node(node_)));
            if (!rows) return std::unexpected(rows.error());
            for (RowReader reader(*rows); !reader.empty();) {
                // One damaged record must not hide the others.
                if (const auto record = record::BlockReader(reader.text()).next()) visit(*record);
            }
        }
        return {};
    }

    Reading reading_;
    const std::string node_;  // only its records; empty: all
};

}  // namespace

std::expected<std::unique_ptr<record::Source>, std::string> open_source(const Settings& settings,
                                                                        const std::string& node) {
    auto source = std::make_unique<LedgerSource>(settings, node);
    if (auto checked = source->check(); !checked) return std::unexpected(checked.error());
    return source;
}

}  // namespace edgecase::clickhouse
