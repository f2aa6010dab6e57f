#include "store/database.hpp"

#include <sqlite3.h>

#include <cerrno>

namespace edgecase::store {
namespace {

// Long enough for another process's commit or checkpoint; the queues hold what comes meanwhile.
constexpr int kBusyTimeoutMs = 2000;
// Far beyond any block; a file that claims more is not worth the memory.
constexpr int kMaximumValueBytes = 64 << 20;

DatabaseError error_of(sqlite3* connection, int code) {
    DatabaseError error;
    switch (code & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            error.kind = DatabaseError::Kind::busy;
            break;
        case SQLITE_FULL:
            error.kind = DatabaseError::Kind::full;
            break;
        default:
            break;
    }
    // ENOSPC on the WAL surfaces as an I/O error with errno kept aside; on the shm file, which is
    // only ever made longer, not even that.
    const bool io_error = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;
    if (code == SQLITE_IOERR_SHMSIZE ||
        (io_error && connection != nullptr && sqlite3_system_errno(connection) == ENOSPC)) {
        error.kind = DatabaseError::Kind::full;
    }
    error.message = connection != nullptr ? sqlite3_errmsg(connection) : sqlite3_errstr(code);
    return error;
}

}  // namespace

std::string DatabaseError::reason() const {
    switch (kind) {
        case Kind::full:
            return "the disk is full (" + message + ")";
        case Kind::busy:
            return "another process keeps it locked (" + message + ")";
        case Kind::other:
            break;
    }
    return "it cannot be written (" + message + ")";
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
    sqlite3_finalize(statement);
}

void Database::CloseConnection::operator()(sqlite3* connection) const {
    sqlite3_close_v2(connection);
}

Statement& Statement::bind(int index, int64_t value) {
    sqlite3_bind_int64(statement_.get(), index + 1, value);
    return *this;
}

Statement& Statement::bind_text(int index, std::string_view value) {
    sqlite3_bind_text64(statement_.get(), index + 1, value.data() != nullptr ? value.data() : "",
                        value.size(), nullptr, SQLITE_UTF8);
    return *this;
}

Statement& Statement::bind_blob(int index, std::string_view value) {
    sqlite3_bind_blob64(statement_.get(), index + 1, value.data() != nullptr ? value.data() : "",
                        value.size(), nullptr);
    return *this;
}

std::expected<bool, DatabaseError> Statement::step() {
    const int code = sqlite3_step(statement_.get());
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) {
        sqlite3_reset(statement_.get());
        return false;
    }
    DatabaseError error = error_of(sqlite3_db_handle(statement_.get()), code);
    sqlite3_reset(statement_.get());
    return std::unexpected(std::move(error));
}

void Statement::reset() {
    sqlite3_reset(statement_.get());
}

int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::bytes(int column) const {
    const void* data = sqlite3_column_blob(statement_.get(), column);
    const int size = sqlite3_column_bytes(statement_.get(), column);
    if (data == nullptr || size <= 0) return {};
    return {static_cast<const char*>(data), static_cast<size_t>(size)};
}

std::expected<Database, DatabaseError> Database::open(const std::filesystem::path& file,
                                                      Mode mode) {
    const auto connect = [&](int flags, Database& into) {
        sqlite3* connection = nullptr;
        const int code =
            sqlite3_open_v2(file.c_str(), &connection,
                            flags | SQLITE_OPEN_FULLMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
        into.connection_.reset(connection);
        return code;
    };
    Database database;
    int code = connect(SQLITE_OPEN_READWRITE, database);
    // Reading a WAL file wants its shared memory file writable; where that may not be, SQLite can
    // still read if the writer runs.
    if (code != SQLITE_OK && mode == Mode::read) code = connect(SQLITE_OPEN_READONLY, database);
    if (code != SQLITE_OK) return std::unexpected(error_of(database.connection_.get(), code));
    sqlite3* const connection = database.connection_.get();
    sqlite3_busy_timeout(connection, kBusyTimeoutMs);
    sqlite3_db_config(connection, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_limit(connection, SQLITE_LIMIT_LENGTH, kMaximumValueBytes);
    if (mode == Mode::read) {
        if (auto done = database.run("PRAGMA query_only = 1"); !done) {
            return std::unexpected(std::move(done.error()));
        }
    }
    return database;
}

std::expected<void, DatabaseError> Database::run(const std::string& sql) {
    const int code = sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return std::unexpected(error_of(connection_.get(), code));
    return {};
}

std::expected<Statement, DatabaseError> Database::prepare(std::string_view sql) {
    sqlite3_stmt* raw = nullptr;
    const int code = sqlite3_prepare_v2(connection_.get(), sql.data(), static_cast<int>(sql.size()),
                                        &raw, nullptr);
    if (code != SQLITE_OK) return std::unexpected(error_of(connection_.get(), code));
    Statement statement;
    statement.statement_.reset(raw);
    return statement;
}

std::expected<int64_t, DatabaseError> Database::number(std::string_view sql) {
    auto statement = prepare(sql);
    if (!statement) return std::unexpected(std::move(statement.error()));
    const auto row = statement->step();
    if (!row) return std::unexpected(row.error());
    return *row ? statement->integer(0) : 0;
}

int64_t Database::changes() const {
    return sqlite3_changes64(connection_.get());
}

}  // namespace edgecase::store
