#include "store/schema.hpp"

#include <utility>

namespace edgecase::store {
namespace {

constexpr int64_t kApplicationId = 0x45444743;  // "EDGC"
constexpr int64_t kSchemaVersion = 1;

// auto_vacuum must be chosen before the first table exists.
constexpr const char* kCreate = R"(
CREATE TABLE IF NOT EXISTS blocks (        -- successes, a few hundred to a row
  id        INTEGER PRIMARY KEY,
  first_ray INTEGER NOT NULL,              -- lowest and highest ray inside, top bit flipped
  last_ray  INTEGER NOT NULL,
  start_ms  INTEGER NOT NULL,              -- since 1970, UTC
  end_ms    INTEGER NOT NULL,
  count     INTEGER NOT NULL,
  bytes     BLOB NOT NULL                  -- docs/record-format.md
);
CREATE INDEX IF NOT EXISTS blocks_by_ray ON blocks (last_ray, first_ray);
CREATE TABLE IF NOT EXISTS cases (         -- whatever failed, one to a row
  ray           INTEGER PRIMARY KEY,       -- top bit flipped
  start_ms      INTEGER NOT NULL,
  edge_status   INTEGER NOT NULL,
  origin_status INTEGER NOT NULL,
  cause         INTEGER NOT NULL,          -- number of the cause
  host          TEXT NOT NULL,             -- lower case
  path          TEXT NOT NULL,             -- without the query
  bytes         BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS cases_by_start ON cases (start_ms);
CREATE INDEX IF NOT EXISTS cases_by_cause ON cases (cause, start_ms);
CREATE INDEX IF NOT EXISTS cases_by_status ON cases (edge_status, start_ms);
PRAGMA application_id = 1162102595;
PRAGMA user_version = 1;
)";
// Files of earlier releases lack these; a program that does not know them leaves them alone.
constexpr const char* kCreateAdded = R"(
CREATE TABLE IF NOT EXISTS case_order (    -- cases in the order of their writing, for who follows
  place INTEGER PRIMARY KEY AUTOINCREMENT, -- never used again
  ray   INTEGER NOT NULL                   -- of cases, where it may have been removed
);
CREATE TABLE IF NOT EXISTS shipped (       -- how far another ledger has them
  kind     INTEGER PRIMARY KEY,            -- 0 cases, by case_order; 1 successes, by blocks
  position INTEGER NOT NULL                -- the last place that was given out
);
INSERT OR IGNORE INTO shipped (kind, position) VALUES (0, 0), (1, 0);
CREATE TABLE IF NOT EXISTS sent (          -- given out, not acknowledged
  kind    INTEGER NOT NULL,
  first   INTEGER NOT NULL,                -- places
  last    INTEGER NOT NULL,
  records INTEGER NOT NULL,
  server  BLOB NOT NULL,                   -- which may have it; empty: none
  PRIMARY KEY (kind, first)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rollups (       -- requests of one kind that ended in one step of time
  step          INTEGER NOT NULL,          -- its length in seconds
  start         INTEGER NOT NULL,          -- seconds since 1970, UTC
  family        INTEGER NOT NULL,          -- record::RollupFamily
  host          BLOB NOT NULL,             -- lower case
  label         BLOB NOT NULL,             -- the origin's URL, or the template of a path
  edge_status   INTEGER NOT NULL,
  origin_status INTEGER NOT NULL,
  cause         INTEGER NOT NULL,          -- number of the cause
  requests      INTEGER NOT NULL,
  failures      INTEGER NOT NULL,
  bytes_in      INTEGER NOT NULL,
  bytes_out     INTEGER NOT NULL,
  latency       BLOB NOT NULL,             -- record/latency_histogram.hpp
  PRIMARY KEY (step, start, family, host, label, edge_status, origin_status, cause)
) WITHOUT ROWID;
)";
// Failures of before: they are followed and shipped as well.
constexpr const char* kOrderCases =
    "INSERT INTO case_order (ray) SELECT ray FROM cases ORDER BY start_ms;";
static_assert(kApplicationId == 1162102595 && kSchemaVersion == 1);

std::string sentence(const std::filesystem::path& file, const DatabaseError& error) {
    if (error.message == "file is not a database") {
        return file.string() + " is not a record store of Edgecase (nor any SQLite database)";
    }
    return "cannot use record store " + file.string() + ": " +
           (error.may_pass() ? error.reason() : error.message);
}

DatabaseError with_sentence(const std::filesystem::path& file, const DatabaseError& error) {
    return {error.kind, sentence(file, error)};
}

DatabaseError foreign(const std::filesystem::path& file, std::string_view what) {
    return {DatabaseError::Kind::other, file.string() + std::string(what)};
}

/// Whether the file is ours and of a version this program knows. `fresh`: it has no tables yet.
std::expected<bool, DatabaseError> check_identity(Database& database,
                                                  const std::filesystem::path& file) {
    const auto tables = database.number("SELECT count(*) FROM sqlite_master");
    if (!tables) return std::unexpected(with_sentence(file, tables.error()));
    const auto id = database.number("PRAGMA application_id");
    if (!id) return std::unexpected(with_sentence(file, id.error()));
    const auto version = database.number("PRAGMA user_version");
    if (!version) return std::unexpected(with_sentence(file, version.error()));
    if (*tables == 0 && *id == 0) return true;
    if (*id != kApplicationId) {
        return std::unexpected(
            foreign(file, " is a SQLite database, but not a record store of Edgecase"));
    }
    if (*version > kSchemaVersion) {
        return std::unexpected(foreign(
            file, " was written by a newer Edgecase (schema version " + std::to_string(*version) +
                      ", this program knows " + std::to_string(kSchemaVersion) + ")"));
    }
    // A view of that name could run for ever; what sqlite_master says of the type is only a text.
    const auto ours = database.number(
        "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND type = 'table' "
        "AND name IN ('blocks', 'cases')");
    if (!ours) return std::unexpected(with_sentence(file, ours.error()));
    if (*ours != 2) {
        return std::unexpected(foreign(file, " lacks the tables of a record store of Edgecase"));
    }
    return false;
}

}  // namespace

std::expected<Database, DatabaseError> open_for_writing(const std::filesystem::path& data_dir,
                                                        const Log& log) {
    if (auto made = prepare_files(data_dir, log); !made) {
        return std::unexpected(std::move(made.error()));
    }
    const auto file = data_dir / kFileName;
    auto database = Database::open(file, Database::Mode::write);
    if (!database) return std::unexpected(with_sentence(file, database.error()));
    auto fresh = check_identity(*database, file);
    if (!fresh) return std::unexpected(std::move(fresh.error()));
    const auto ordered =
        database->number("SELECT count(*) FROM sqlite_master WHERE name = 'case_order'");
    if (!ordered) return std::unexpected(with_sentence(file, ordered.error()));
    std::string setup;
    // 16 KiB pages: a block then takes four of them, and the writer 0.8 us of CPU per success
    // instead of 1.4 with SQLite's usual 4 KiB; a case takes 13 us instead of 10 (docs/adr/0003).
    if (*fresh) setup = "PRAGMA page_size = 16384; PRAGMA auto_vacuum = INCREMENTAL;";
    // NORMAL in WAL: a killed process loses nothing that was committed, a power cut may lose the
    // last commits but never the file's integrity.
    setup +=
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY;"
        "PRAGMA journal_size_limit = 33554432;";
    // One transaction makes all tables, so a file that has some has all: on a full disk it can
    // still be opened.
    setup += "BEGIN IMMEDIATE;";
    if (*fresh) setup += kCreate;
    setup += kCreateAdded;
    if (*ordered == 0) setup += kOrderCases;
    setup += "COMMIT;";
    if (auto done = database->run(setup); !done) {
        return std::unexpected(with_sentence(file, done.error()));
    }
    return std::move(*database);
}

std::expected<Database, std::string> open_for_reading(const std::filesystem::path& data_dir) {
    if (auto readable = check_readable(data_dir); !readable) {
        return std::unexpected(std::move(readable.error()));
    }
    const auto file = data_dir / kFileName;
    auto database = Database::open(file, Database::Mode::read);
    if (!database) return std::unexpected(sentence(file, database.error()));
    const auto fresh = check_identity(*database, file);
    if (!fresh) return std::unexpected(fresh.error().message);
    if (*fresh) return std::unexpected(file.string() + " is empty: no record was ever written");
    return std::move(*database);
}

}  // namespace edgecase::store
