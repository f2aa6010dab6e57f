// Owns one request of the edge's own on a connection to an origin: a health check, a probe.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.hpp"
#include "cause/failure.hpp"
#include "config/settings.hpp"
#include "http/message.hpp"
#include "net/loop.hpp"
#include "net/task.hpp"
#include "origin/connection.hpp"
#include "origin/origin_failure.hpp"
#include "record/record.hpp"

namespace edgecase::origin {

struct OwnRequest {
    std::string_view bytes;  // head and body, complete
    size_t body_bytes = 0;   // of them
    bool to_head = false;    // its method is HEAD
    base::Duration idle_before{};
    std::string_view upgrade = {};           // the protocols it offers to change to
    size_t body_bytes_kept = 0;              // of the answer's body
    uint64_t body_bytes_read = 64ull << 20;  // beyond that it is left alone
    base::Duration body_time{};              // likewise; zero: as long as bytes come
    /// The whole exchange must end by then, besides the timeouts of the settings; a failure to do
    /// so has that limit and name.
    base::Deadline whole = base::Deadline::never();
    std::chrono::milliseconds whole_limit{0};
    std::string_view whole_name = {};
};

struct Field {
    std::string name;
    std::string value;
};

/// What came, as far as it came.
struct OwnAnswer {
    uint16_t status = 0;      // 0: none was readable
    bool head_whole = false;  // what follows is known
    std::string head;         // raw, of the final response
    std::vector<Field> fields;
    std::vector<std::string> interim;  // raw heads
    http::Framing framing;
    bool keep_alive = false;
    std::string body;  // the first bytes
    uint64_t body_bytes = 0;
    bool whole = false;
    bool reusable = false;

    /// The first of that name. Errors: empty.
    std::string_view value_of(std::string_view name) const;
};

struct OwnExchange {
    OwnAnswer answer;
    std::optional<cause::Failure> failure;  // null: it came whole, whatever its status
    /// The answer was whole, and more came than it has.
    std::optional<cause::Failure> extra;
};

/// Sends and reads to the end. `attempt` gets bytes, durations and how the connection ended, also
/// of one that fails. An answer with more body than is to be read is neither whole nor a failure.
net::Task<OwnExchange> ask(net::Loop& loop, const config::Settings& settings,
                           Connection& connection, OwnRequest request, record::Attempt& attempt);

/// What an attempt tells of its connection.
void describe(record::Attempt& attempt, const Connection& connection);

}  // namespace edgecase::origin
