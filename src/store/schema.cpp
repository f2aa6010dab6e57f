#include "store/schema.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace edgecase::store {
namespace {

constexpr int64_t kApplicationId = 0x45444743;  // "EDGC"
constexpr int64_t kSchemaVersion = 1;

// auto_vacuum must be chosen before the first table exists.
constexpr const char* kCreate = R"(
BEGIN IMMEDIATE;
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
COMMIT;
)";
static_assert(kApplicationId == 1162102595 && kSchemaVersion == 1);

std::string errno_text(int error) {
    switch (error) {
        case EACCES:
            return "permission denied";
        case ENOTDIR:
            return "part of the path is a file, not a directory";
        case ENOENT:
            return "no such file or directory";
        case EROFS:
            return "the file system is read-only";
        case ENOSPC:
            return "no space left on the device";
        case EISDIR:
            return "it is a directory";
        default:
            return std::strerror(error);  // NOLINT(concurrency-mt-unsafe): at start only
    }
}

/// Like mkdir -p, but what it makes is for the owner alone.
std::expected<void, std::string> make_directory(const std::filesystem::path& path) {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (std::filesystem::is_directory(status)) return {};
    if (std::filesystem::exists(status)) {
        return std::unexpected("data directory " + path.string() +
                               ": there is a file of that name, not a directory");
    }
    const auto parent = path.parent_path();
    if (!parent.empty() && parent != path) {
        if (auto made = make_directory(parent); !made) return made;
    }
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
        return std::unexpected("cannot create data directory " + path.string() + ": " +
                               errno_text(errno));
    }
    return {};
}

std::expected<void, std::string> make_file(const std::filesystem::path& file) {
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
    if (descriptor < 0) {
        return std::unexpected("cannot write " + file.string() + ": " + errno_text(errno));
    }
    ::close(descriptor);
    return {};
}

std::string sentence(const std::filesystem::path& file, const DatabaseError& error) {
    if (error.message == "file is not a database") {
        return file.string() + " is not a record store of Edgecase (nor any SQLite database)";
    }
    return "cannot use record store " + file.string() + ": " + error.message;
}

/// Whether the file is ours and of a version this program knows. `fresh`: it has no tables yet.
std::expected<bool, std::string> check_identity(Database& database,
                                                const std::filesystem::path& file) {
    const auto tables = database.number("SELECT count(*) FROM sqlite_master");
    if (!tables) return std::unexpected(sentence(file, tables.error()));
    const auto id = database.number("PRAGMA application_id");
    if (!id) return std::unexpected(sentence(file, id.error()));
    const auto version = database.number("PRAGMA user_version");
    if (!version) return std::unexpected(sentence(file, version.error()));
    if (*tables == 0 && *id == 0) return true;
    if (*id != kApplicationId) {
        return std::unexpected(file.string() +
                               " is a SQLite database, but not a record store of Edgecase");
    }
    if (*version > kSchemaVersion) {
        return std::unexpected(file.string() + " was written by a newer Edgecase (schema version " +
                               std::to_string(*version) + ", this program knows " +
                               std::to_string(kSchemaVersion) + ")");
    }
    return false;
}

}  // namespace

record::RayId first_ray_at(base::WallTime time) {
    using record::RayId;
    if (time <= RayId::kEpoch) return RayId(0);
    const auto since = static_cast<uint64_t>((time - RayId::kEpoch).count());
    const uint64_t tick = (since + RayId::kTickUs - 1) / RayId::kTickUs;
    if (tick >> (64 - RayId::kNodeBits - RayId::kWorkerBits) != 0) return RayId(~uint64_t{0});
    return RayId(tick << (RayId::kNodeBits + RayId::kWorkerBits));
}

std::expected<Database, std::string> open_for_writing(const std::filesystem::path& data_dir) {
    if (data_dir.empty()) return std::unexpected("the data directory has an empty name");
    if (auto made = make_directory(data_dir); !made) return std::unexpected(made.error());
    const auto file = data_dir / kFileName;
    if (auto made = make_file(file); !made) return std::unexpected(made.error());
    auto database = Database::open(file, Database::Mode::write);
    if (!database) return std::unexpected(sentence(file, database.error()));
    const auto fresh = check_identity(*database, file);
    if (!fresh) return std::unexpected(fresh.error());
    std::string setup;
    // 16 KiB pages: a block then takes four of them, and the writer 0.8 us of CPU per success
    // instead of 1.4 with SQLite's usual 4 KiB; a case takes 13 us instead of 10 (docs/adr/0003).
    if (*fresh) setup = "PRAGMA page_size = 16384; PRAGMA auto_vacuum = INCREMENTAL;";
    // NORMAL in WAL: a killed process loses nothing that was committed, a power cut may lose the
    // last commits but never the file's integrity.
    setup +=
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY;"
        "PRAGMA journal_size_limit = 33554432;";
    if (auto done = database->run(setup); !done)
        return std::unexpected(sentence(file, done.error()));
    if (auto done = database->run(kCreate); !done) {
        return std::unexpected(sentence(file, done.error()));
    }
    return std::move(*database);
}

std::expected<Database, std::string> open_for_reading(const std::filesystem::path& data_dir) {
    const auto file = data_dir / kFileName;
    std::error_code error;
    if (!std::filesystem::exists(data_dir, error)) {
        return std::unexpected("data directory " + data_dir.string() + " does not exist");
    }
    if (!std::filesystem::is_directory(data_dir, error)) {
        return std::unexpected("data directory " + data_dir.string() + " is not a directory");
    }
    if (!std::filesystem::exists(file, error)) {
        return std::unexpected("data directory " + data_dir.string() + " holds no record store (" +
                               std::string(kFileName) + ")");
    }
    if (::access(file.c_str(), R_OK) != 0) {
        return std::unexpected("cannot read " + file.string() + ": " + errno_text(errno));
    }
    auto database = Database::open(file, Database::Mode::read);
    if (!database) return std::unexpected(sentence(file, database.error()));
    const auto fresh = check_identity(*database, file);
    if (!fresh) return std::unexpected(fresh.error());
    if (*fresh) return std::unexpected(file.string() + " is empty: no record was ever written");
    return std::move(*database);
}

}  // namespace edgecase::store
