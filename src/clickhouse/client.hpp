// Owns the asking of ClickHouse servers over HTTP, and what became of it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clickhouse/settings.hpp"

namespace edgecase::clickhouse {

struct QueryError {
    enum class Kind : uint8_t {
        unreachable,  // it was not asked, so nothing was done
        unanswered,   // it was asked, and may have done it
        refused,      // it answered with an error
    };
    Kind kind = Kind::refused;
    int code = 0;             // ClickHouse's, of `refused`; 0: none was found
    std::vector<int> others;  // those of other servers, which it quotes
    std::string message;      // a sentence that names the server
};

/// Exception codes that something depends on.
enum Code : int {
    kUnknownTable = 60,
    kUnknownDatabase = 81,
    kReadOnly = 164,
    kSameQueryRuns = 216,
    kTableReadOnly = 242,
    kShardsUnreachable = 279,
};
/// A server that says so can be reached.
bool is_about_password(int code);

/// Connections to each server of the settings, kept open. For one thread.
class Client {
  public:
    explicit Client(Settings settings);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    const Settings& settings() const { return settings_; }
    size_t servers() const { return settings_.urls.size(); }

    using Parameters = std::vector<std::pair<std::string, std::string>>;
    /// What becomes of rows that are like those of an earlier insert.
    enum class Repeated : uint8_t { left_out, inserted };

    /// One statement; what it gives comes whole or not at all.
    std::expected<std::string, QueryError> ask(size_t server, std::string_view sql,
                                               const Parameters& parameters = {});
    /// The same of the first server that can be reached, beginning with the one that answered last.
    std::expected<std::string, QueryError> ask_any(std::string_view sql,
                                                   const Parameters& parameters = {});
    /// An INSERT ... SELECT, which must not be done twice. `query_id`: while one of that id runs,
    /// another is refused with kSameQueryRuns.
    std::expected<void, QueryError> command(size_t server, std::string_view sql,
                                            const std::string& query_id, Repeated repeated);
    /// The same of an INSERT ... FORMAT RowBinary and its data.
    std::expected<void, QueryError> insert(size_t server, std::string_view sql,
                                           std::string_view rows, const std::string& query_id,
                                           Repeated repeated);
    /// Major and minor: 18 and 16 are 18016. Inserts heed it from then on.
    std::expected<unsigned, QueryError> version(size_t server);

    /// From another thread: what is under way ends soon as `unanswered`, and so does all after it.
    void stop() { stopped_ = true; }

  private:
    struct Connection;
    enum class Sending : uint8_t {
        freely,    // a question may be sent again
        once,      // on a connection of its own: on a kept one that breaks libcurl sends it again
        once_gzip  // with a compressed body
    };
    std::expected<std::string, QueryError> post(size_t server, std::string_view sql,
                                                std::string_view body, Sending sending,
                                                const Parameters& parameters);

    const Settings settings_;
    std::vector<std::unique_ptr<Connection>> connections_;
    std::vector<unsigned> releases_;  // 0: not asked yet
    size_t last_ = 0;
    std::atomic<bool> stopped_ = false;
};

/// What an insert on a server of that release is sent with: it is done when it is answered.
Client::Parameters insert_settings(unsigned release, Client::Repeated repeated);

/// A text as a literal of SQL, whatever bytes it has.
std::string literal(std::string_view text);
/// A name of a database, table, cluster or column. Names are checked where they are configured.
std::string identifier(std::string_view name);

}  // namespace edgecase::clickhouse
