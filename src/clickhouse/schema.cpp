#include "clickhouse/schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

#include "clickhouse/rows.hpp"

namespace edgecase::clickhouse {
namespace {

using record::kRollupSteps;
using record::RollupStep;

constexpr std::string_view kVersions = "schema_versions";
constexpr std::string_view kNodes = "nodes";
constexpr std::array kKinds{Kind::cases, Kind::successes};
// Compression by column and forgetting by the server came with later releases.
constexpr unsigned kModern = 20'003;
constexpr std::chrono::hours kNodesKept{24 * 30};

/// Writes the statements of one ledger.
class Schema {
  public:
    Schema(const Settings& settings, unsigned release)
        : settings_(settings),
          modern_(release >= kModern),
          on_cluster_(settings.cluster.empty() ? ""
                                               : " ON CLUSTER " + identifier(settings.cluster)) {}

    std::vector<std::string> take() { return std::move(statements_); }

    void database() {
        add("CREATE DATABASE IF NOT EXISTS " + identifier(settings_.database) + on_cluster_);
        // Shared by all servers, so that each knows the version.
        const std::string engine =
            settings_.cluster.empty()
                ? "MergeTree()"
                : fmt::format(
                      "ReplicatedMergeTree('/clickhouse/tables/edgecase/{}/{}', "
                      "'{{shard}}-{{replica}}')",
                      settings_.database, kVersions);
        add(fmt::format(
            "CREATE TABLE IF NOT EXISTS {}.{}{} (version UInt32, applied DateTime) "
            "ENGINE = {} ORDER BY version",
            identifier(settings_.database), identifier(kVersions), on_cluster_, engine));
    }

    void records(Kind kind) {
        std::string columns;
        for (const Column& column : clickhouse::columns()) {
            columns += fmt::format("{} {}", identifier(column.name), column.type);
            if (modern_ && column.name == "record") columns += " CODEC(ZSTD(1))";
            columns += ", ";
        }
        columns += "stored DateTime('UTC') DEFAULT now()";
        table(table_of(kind), columns, "Replacing", "toYYYYMMDD(EdgeStartTimestamp)", "(ray, node)",
              end_of_records(), kind == Kind::cases ? 256 : 1024);
    }

    /// A table keeps the time that was set when it was made.
    void keep(Kind kind) {
        if (!modern_) return;
        add(fmt::format("ALTER TABLE {}{} MODIFY TTL {}", local_table(settings_, table_of(kind)),
                        on_cluster_, end_of_records()));
    }

    void traffic(const RollupStep& step) {
        table(table_of(step),
              "start DateTime('UTC'), node String, family UInt8, host String, label String, "
              "edge_status UInt16, origin_status UInt16, cause_number UInt16, "
              "requests UInt64, failures UInt64, bytes_in UInt64, bytes_out UInt64, "
              "latencyMap Nested(step UInt16, count UInt64), "
              "latency_max AggregateFunction(max, Int64), "
              "batches AggregateFunction(groupUniqArray, UInt64)",
              "Summing",
              step.length < std::chrono::hours(1) ? "toYYYYMMDD(start)" : "toYYYYMM(start)",
              "(start, node, family, host, label, edge_status, origin_status, cause_number)",
              fmt::format("start + {}", std::chrono::seconds(step.kept).count()), 8192);
        for (const Kind kind : kKinds) view(kind, step);
    }

    void nodes() {
        table(kNodes,
              "node String, seen DateTime('UTC') DEFAULT now(), colo String, version String, "
              "node_id UInt16, started DateTime('UTC'), recorded UInt64, shipped UInt64, waiting "
              "UInt64, "
              "lost UInt64",
              "", "toYYYYMMDD(seen)", "(node, seen)",
              fmt::format("seen + {}", std::chrono::seconds(kNodesKept).count()), 8192);
    }

    void version(unsigned number) {
        add(fmt::format("INSERT INTO {}.{} (version, applied) VALUES ({}, now())",
                        identifier(settings_.database), identifier(kVersions), number));
    }

  private:
    void add(std::string statement) { statements_.push_back(std::move(statement)); }

    std::string end_of_records() const {
        return fmt::format("EdgeStartTimestamp + {}", std::chrono::seconds(settings_.keep).count());
    }

    void table(std::string_view name, std::string_view columns, std::string_view kind,
               std::string_view partition, std::string_view order, std::string_view old,
               unsigned granularity) {
        const std::string engine =
            settings_.cluster.empty()
                ? fmt::format("{}MergeTree()", kind)
                : fmt::format(
                      "Replicated{}MergeTree('/clickhouse/tables/edgecase/{{shard}}/{}/{}'"
                      ", '{{replica}}')",
                      kind, settings_.database, name);
        add(
            fmt::format("CREATE TABLE IF NOT EXISTS {}{} ({}) ENGINE = {} PARTITION BY {} "
                        "ORDER BY {}{} SETTINGS index_granularity = {}",
                        local_table(settings_, name), on_cluster_, columns, engine, partition,
                        order, modern_ ? fmt::format(" TTL {}", old) : "", granularity));
        if (settings_.cluster.empty()) return;
        add(
            fmt::format("CREATE TABLE IF NOT EXISTS {}{} AS {} ENGINE = Distributed({}, {}, {}, "
                        "rand())",
                        whole_table(settings_, name), on_cluster_, local_table(settings_, name),
                        identifier(settings_.cluster), identifier(settings_.database),
                        identifier(std::string(name) + "_local")));
    }

    void view(Kind kind, const RollupStep& step) {
        add(fmt::format("CREATE MATERIALIZED VIEW IF NOT EXISTS {}.{}{} TO {} AS {}",
                        identifier(settings_.database),
                        identifier(fmt::format("{}_of_{}", table_of(step), table_of(kind))),
                        on_cluster_, local_table(settings_, table_of(step)),
                        rollups_of(settings_, kind, step, "1")));
    }

    const Settings& settings_;
    const bool modern_;
    const std::string on_cluster_;
    std::vector<std::string> statements_;
};

std::string in_database(const Settings& settings, std::string_view table) {
    return identifier(settings.database) + "." + identifier(table);
}

/// The server's own part of a table, its condition of age as SQL, and how partitions are named.
struct Kept {
    std::string_view table;
    std::chrono::hours hours;
    std::string_view partition;
};

std::vector<Kept> kept_tables(const Settings& settings) {
    std::vector<Kept> all{{table_of(Kind::cases), settings.keep, "toYYYYMMDD"},
                          {table_of(Kind::successes), settings.keep, "toYYYYMMDD"},
                          {kNodes, kNodesKept, "toYYYYMMDD"}};
    for (const RollupStep& step : kRollupSteps) {
        all.push_back({table_of(step), step.kept,
                       step.length < std::chrono::hours(1) ? "toYYYYMMDD" : "toYYYYMM"});
    }
    return all;
}

}  // namespace

std::string local_table(const Settings& settings, std::string_view name) {
    return in_database(settings, std::string(name) + (settings.cluster.empty() ? "" : "_local"));
}

std::string whole_table(const Settings& settings, std::string_view name) {
    return in_database(settings, name);
}

std::string_view table_of(Kind kind) {
    return kind == Kind::cases ? "cases" : "successes";
}

std::string_view table_of(const RollupStep& step) {
    if (step.length == kRollupSteps[0].length) return "traffic_minute";
    return step.length == kRollupSteps[1].length ? "traffic_ten_minutes" : "traffic_hour";
}

std::string rollups_of(const Settings& settings, Kind kind, const RollupStep& step,
                       std::string_view where) {
    return fmt::format(
        "SELECT toDateTime(intDiv(toUInt32(ended), {}) * {}) AS start, node, "
        "arrayJoin([toUInt8(0), toUInt8(1), toUInt8({})]) AS family, "
        "if(family = 0, rollup_host, if(family = 1, rollup_path_host, '')) AS host, "
        "if(family = 0, rollup_origin, if(family = 1, rollup_path, '')) AS label, "
        "toUInt16(if(family = 0, EdgeResponseStatus, 0)) AS edge_status, "
        "toUInt16(if(family = 0, OriginResponseStatus, 0)) AS origin_status, "
        "toUInt16(if(family = 0, cause, 0)) AS cause_number, "
        "sum(toUInt64(weight)) AS requests, "
        "sum(toUInt64(weight * failed)) AS failures, "
        "sum(toUInt64(ClientRequestBytes * weight)) AS bytes_in, "
        "sum(toUInt64(EdgeResponseBytes * weight)) AS bytes_out, "
        "tupleElement(sumMap([latency_step], [toUInt64(weight)]), 1) AS `latencyMap.step`, "
        "tupleElement(sumMap([latency_step], [toUInt64(weight)]), 2) AS `latencyMap.count`, "
        "maxState(latency_us) AS latency_max, "
        "groupUniqArrayState(if(family = {}, batch, toUInt64(0))) AS batches "
        "FROM {} WHERE {} GROUP BY start, node, family, host, label, edge_status, origin_status, "
        "cause_number",
        step.length.count(), step.length.count(), kBatchFamily, kBatchFamily,
        local_table(settings, table_of(kind)), where);
}

std::vector<std::string> migration(const Settings& settings, unsigned from, unsigned to,
                                   unsigned release) {
    Schema schema(settings, release);
    if (from < 1 && to >= 1) {
        schema.database();
        for (const Kind kind : kKinds) schema.records(kind);
        for (const RollupStep& step : kRollupSteps) schema.traffic(step);
        schema.version(1);
    }
    if (from < 2 && to >= 2) {
        schema.nodes();
        schema.version(2);
    }
    return schema.take();
}

std::vector<std::string> keeping(const Settings& settings, unsigned release) {
    Schema schema(settings, release);
    for (const Kind kind : kKinds) schema.keep(kind);
    return schema.take();
}

std::expected<unsigned, QueryError> schema_version(Client& client, size_t server) {
    const auto text =
        client.ask(server, "SELECT max(version) FROM " + in_database(client.settings(), kVersions));
    if (!text) {
        const int code = text.error().code;
        if (code == kUnknownTable || code == kUnknownDatabase) return 0;
        return std::unexpected(text.error());
    }
    unsigned version = 0;
    std::from_chars(text->data(), text->data() + text->size(), version);
    return version;
}

std::string no_ledger(const Settings& settings, size_t server) {
    return "there is no ledger in the database " + settings.database + " of " +
           settings.urls[server] + "; `edgecase ledger init` makes it";
}

namespace {

std::string newer_ledger(const Settings& settings, size_t server, unsigned version) {
    return fmt::format(
        "the ledger at {} is of schema version {}, made by a newer Edgecase; this program knows {}",
        settings.urls[server], version, kSchemaVersion);
}

}  // namespace

std::expected<void, QueryError> check_schema(Client& client, size_t server) {
    const auto version = schema_version(client, server);
    if (!version) return std::unexpected(version.error());
    if (*version == kSchemaVersion) return {};
    return std::unexpected(QueryError{
        QueryError::Kind::refused,
        0,
        {},
        *version == 0 ? no_ledger(client.settings(), server)
        : *version < kSchemaVersion
            ? fmt::format("the ledger at {} is of schema version {}; `edgecase ledger init` "
                          "brings it up to date",
                          client.settings().urls[server], *version)
            : newer_ledger(client.settings(), server, *version)});
}

namespace {

/// A table of one of our names that lacks what ours have. Errors: a sentence.
std::expected<std::string, std::string> table_in_the_way(Client& client, size_t server) {
    const auto found = client.ask(
        server,
        fmt::format("SELECT name FROM system.tables WHERE database = {} AND name IN ('cases', "
                    "'successes', 'traffic_minute', 'traffic_ten_minutes', 'traffic_hour', "
                    "'nodes', 'schema_versions') AND name NOT IN (SELECT table FROM system.columns "
                    "WHERE database = {} AND name IN ('rollup_path', 'latency_max', 'node_id', "
                    "'applied')) LIMIT 1",
                    literal(client.settings().database), literal(client.settings().database)));
    if (!found) return std::unexpected(found.error().message);
    return found->substr(0, found->find('\n'));
}

std::expected<Migrated, std::string> migrate_from(Client& client, size_t server) {
    const auto release = client.version(server);
    if (!release) return std::unexpected(release.error().message);
    const auto foreign = table_in_the_way(client, server);
    if (!foreign) return std::unexpected(foreign.error());
    if (!foreign->empty()) {
        return std::unexpected(fmt::format(
            "the database {} of {} has a table {} that is not of a ledger; name another database",
            client.settings().database, client.settings().urls[server], *foreign));
    }
    const auto version = schema_version(client, server);
    if (!version) return std::unexpected(version.error().message);
    if (*version > kSchemaVersion) {
        return std::unexpected(newer_ledger(client.settings(), server, *version));
    }
    auto statements = migration(client.settings(), *version, kSchemaVersion, *release);
    std::ranges::move(keeping(client.settings(), *release), std::back_inserter(statements));
    for (const std::string& statement : statements) {
        // Below our own patience, so that the server can say which host does not answer.
        const Client::Parameters patience{{"distributed_ddl_task_timeout", "20"}};
        if (const auto done = client.ask(server, statement, patience); !done) {
            return std::unexpected(done.error().message);
        }
    }
    return Migrated{*version, kSchemaVersion, *release};
}

}  // namespace

std::expected<Migrated, std::string> migrate(Client& client) {
    // Any server of a cluster does it for all, and without one there is a single URL.
    for (size_t server = 0; server + 1 < client.servers(); ++server) {
        if (client.version(server)) return migrate_from(client, server);
    }
    return migrate_from(client, client.servers() - 1);
}

std::expected<size_t, QueryError> drop_old(Client& client, size_t server) {
    size_t dropped = 0;
    const Settings& settings = client.settings();
    for (const Kept& one : kept_tables(settings)) {
        const std::string table =
            std::string(one.table) + (settings.cluster.empty() ? "" : "_local");
        // A partition's name is the day or the month, so that they compare as numbers.
        const auto old = client.ask(
            server, fmt::format("SELECT DISTINCT partition FROM system.parts WHERE active AND "
                                "database = {} AND table = {} AND toUInt32OrZero(partition) > 0 "
                                "AND toUInt32OrZero(partition) < {}(now() - {}, 'UTC')",
                                literal(settings.database), literal(table), one.partition,
                                std::chrono::seconds(one.hours).count()));
        if (!old) return std::unexpected(old.error());
        for (size_t at = 0; at < old->size();) {
            const size_t end = std::min(old->find('\n', at), old->size());
            const std::string name = old->substr(at, end - at);
            at = end + 1;
            if (name.empty()) continue;
            const auto done =
                client.ask(server, fmt::format("ALTER TABLE {} DROP PARTITION {}",
                                               local_table(settings, one.table), name));
            if (!done) return std::unexpected(done.error());
            ++dropped;
        }
    }
    return dropped;
}

}  // namespace edgecase::clickhouse
