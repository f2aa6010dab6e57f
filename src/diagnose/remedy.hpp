// Owns the fixes, written for the server that was recognised, with this case's values.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "cause/table.hpp"
#include "probe/facts.hpp"

namespace edgecase::diagnose {

/// What has one kind of fix, whichever cause shows it.
enum class Topic : uint8_t {
    other,
    crash,
    headers,
    request_headers,
    keep_alive,
    down,
    firewall,
    timeout,         // no first byte in time
    script_timeout,  // it began and stood still, or was cut after a round time
    status_line,
    syntax,
    framing,
    http2,
    certificate,
    client_certificate,
    tls,
    dns,
    link,
    health,
};
Topic topic_of(cause::Cause cause);

/// The values that a fix may speak of.
struct RemedyValues {
    uint64_t header_bytes = 0;
    uint64_t limit_bytes = 32 * 1024;
    std::chrono::milliseconds edge_idle{900'000};
    std::chrono::milliseconds needed{0};  // time the origin needs at least
    std::string target = "/";
    uint64_t port = 443;
    std::string name;  // of the origin
};

/// What to write where, for that server; empty when nothing is known that is better than the
/// cause's own fix. May have several lines.
std::string remedy(Topic topic, const probe::Server& server, const RemedyValues& values);

}  // namespace edgecase::diagnose
