// Owns a SQLite connection: opening, statements, and errors as sentences.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace edgecase::store {

/// What went wrong, apart enough to decide whether trying again can help.
struct DatabaseError {
    enum class Kind : uint8_t { busy, full, other };
    Kind kind = Kind::other;
    std::string message;

    /// The rest of "the record store cannot be used: ...", with SQLite's words in brackets.
    std::string reason() const;
    /// It may pass by itself: another process lets go, somebody makes room.
    bool may_pass() const { return kind != Kind::other; }
};

/// A prepared statement. Parameters and columns count from 0 in the order of the SQL text.
class Statement {
  public:
    Statement() = default;
    Statement& bind(int index, int64_t value);
    Statement& bind_text(int index, std::string_view value);  // `value` must live until reset()
    Statement& bind_blob(int index, std::string_view value);  // the same
    /// True: a row is there; false: done. After an error or the end the statement is reset.
    std::expected<bool, DatabaseError> step();
    void reset();

    int64_t integer(int column) const;
    std::string_view bytes(int column) const;  // dies with the next step() or reset()

  private:
    friend class Database;
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const;
    };
    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Database {
  public:
    enum class Mode : uint8_t { write, read };

    /// Errors: SQLite's own words. `write` does not create the file: whoever does sets its mode.
    /// The file is not trusted: what its schema names cannot run functions with side effects.
    static std::expected<Database, DatabaseError> open(const std::filesystem::path& file,
                                                       Mode mode);

    std::expected<void, DatabaseError> run(const std::string& sql);
    std::expected<Statement, DatabaseError> prepare(std::string_view sql);
    /// The first column of the first row of `sql`; 0 when there is no row.
    std::expected<int64_t, DatabaseError> number(std::string_view sql);
    int64_t changes() const;

  private:
    struct CloseConnection {
        void operator()(sqlite3* connection) const;
    };
    std::unique_ptr<sqlite3, CloseConnection> connection_;
};

}  // namespace edgecase::store
