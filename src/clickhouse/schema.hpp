// Owns the ledger's tables in ClickHouse: how they are made, brought up to date and emptied of what
// is old.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "clickhouse/client.hpp"
#include "record/rollup_steps.hpp"
#include "store/outbox.hpp"

namespace edgecase::clickhouse {

/// The two kinds of records: failures (and what hides one), and the rest.
using Kind = store::Parcel::Kind;

constexpr unsigned kSchemaVersion = 2;

/// Where a table is written: the part that lies on the server asked.
std::string local_table(const Settings& settings, std::string_view name);
/// Where it is read: all parts, on whichever servers.
std::string whole_table(const Settings& settings, std::string_view name);
std::string_view table_of(Kind kind);
/// `traffic_minute`, `traffic_ten_minutes`, `traffic_hour`.
std::string_view table_of(const record::RollupStep& step);

/// What a view puts into the rollups of `step`, of the records that `where` means.
std::string rollups_of(const Settings& settings, Kind kind, const record::RollupStep& step,
                       std::string_view where);
/// Beside the two families of rollups there is a row for each edge and step of time with the
/// batches that were counted in it.
constexpr int kBatchFamily = 2;

/// What brings a ledger of schema version `from` (0: there is none) to version `to`, for a server
/// of that release (18016: 18.16).
std::vector<std::string> migration(const Settings& settings, unsigned from, unsigned to,
                                   unsigned release);

/// What makes a server of that release forget records after `settings.keep`, whatever was set
/// before; none where edges alone drop what is old.
std::vector<std::string> keeping(const Settings& settings, unsigned release);

/// Of the ledger on that server; 0: there is none.
std::expected<unsigned, QueryError> schema_version(Client& client, size_t server);

/// Whether the ledger on that server is of this program's version; the error says what it is.
std::expected<void, QueryError> check_schema(Client& client, size_t server);
/// `there is no ledger in ...`, and what makes it.
std::string no_ledger(const Settings& settings, size_t server);

struct Migrated {
    unsigned from = 0;
    unsigned to = 0;
    unsigned release = 0;  // the server's
};
/// Makes or migrates the ledger: with a cluster on all its servers. Safe to repeat. Errors: a
/// sentence.
std::expected<Migrated, std::string> migrate(Client& client);

/// Drops the partitions of that server that are older than is kept. How many went.
std::expected<size_t, QueryError> drop_old(Client& client, size_t server);

}  // namespace edgecase::clickhouse
