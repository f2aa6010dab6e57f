// Owns what a foreign log line says, as values that point into the line.
#pragma once

#include <cstdint>
#include <string_view>

namespace edgecase::logs {

/// Microseconds since 1970 in UTC. Logs carry no clock of their own, so it is a plain number here.
using LogTime = int64_t;
constexpr LogTime kNoTime = INT64_MIN;

/// What a log's time is the time of.
enum class Moment : uint8_t { start, end };

/// One request as its server saw it. What a log does not say is empty, 0 or -1. The views are valid
/// until the reader is given its next line.
struct EntryView {
    LogTime time = kNoTime;
    Moment moment = Moment::end;
    int64_t resolution_us = 1'000'000;  // the time is that or up to so much later
    int64_t duration_us = -1;
    uint64_t ray = 0;  // 0: none
    std::string_view method;
    std::string_view host;
    std::string_view uri;  // path and query, as on the request line
    uint16_t status = 0;
    int64_t body_bytes = -1;      // of the response
    int64_t response_bytes = -1;  // with its head
    int64_t request_bytes = -1;   // head and body
    std::string_view client;      // who connected: behind an edge, the edge's address
    std::string_view forwarded;   // the visitor's address, by X-Forwarded-For or CF-Connecting-IP
    std::string_view user_agent;
    std::string_view referer;
    uint16_t upstream_status = 0;  // of the server behind it
    std::string_view reason;       // its word for how it ended: `UC`, `SH--`, Apache's `X`
    int64_t worker = -1;           // its process
};

/// One request as an edge saw it, of Cloudflare Logpush `http_requests`.
struct EdgeEntryView {
    uint64_t ray = 0;
    uint64_t parent = 0;
    LogTime start = kNoTime;
    LogTime end = kNoTime;
    int64_t resolution_us = 1'000'000;  // of start and end
    std::string_view method;
    std::string_view scheme;
    std::string_view host;
    std::string_view uri;
    std::string_view user_agent;
    std::string_view referer;
    std::string_view client;        // ClientIP
    std::string_view edge_address;  // EdgeServerIP: who spoke to the origin; empty: nobody
    std::string_view origin;        // OriginIP
    std::string_view colo;
    std::string_view protocol;
    std::string_view cache_status;  // as CacheCacheStatus has it
    int request_source = 1;         // ClientRequestSource as its number; 1: eyeball
    uint16_t edge_status = 0;
    uint16_t origin_status = 0;
    int64_t response_bytes = -1;       // EdgeResponseBytes
    int64_t response_body_bytes = -1;  // EdgeResponseBodyBytes
    int64_t request_bytes = -1;        // ClientRequestBytes
    int64_t dns_ms = -1;
    int64_t connect_ms = -1;  // 0: the connection was reused, or none was made
    int64_t tls_ms = -1;
    int64_t header_wait_ms = -1;  // OriginResponseHeaderReceiveDurationMs
    int64_t origin_ms = -1;       // OriginResponseDurationMs
    int64_t first_byte_ms = -1;   // EdgeTimeToFirstByteMs
    std::string_view cause;       // of an edge that knows: Edgecase's OriginFailureCause
};

/// What an event line is about, as far as its words tell.
enum class EventKind : uint8_t {
    other,              // said something near in time, no more
    worker_exited,      // a worker or child process ended on a signal or with a code
    out_of_memory,      // the kernel killed a process
    segfault,           // the kernel saw a process fail
    restarted,          // start, stop, reload or graceful restart of a server
    upstream_closed,    // whoever is behind this server closed too early
    upstream_timeout,   // or was silent
    upstream_refused,   // or took no connection
    upstream_bad,       // or sent what is no acceptable response
    script_timeout,     // a script ran longer than it may
    script_failed,      // a fatal error or uncaught exception of a script
    workers_exhausted,  // no process, thread or connection is left to serve
    client_closed,      // the server saw its client (the edge) leave
    bad_request,        // the server would not take the request: too large, malformed
    tls_failed,         // a handshake with a client (the edge) failed
};

/// One line of an error log, a journal or a kernel log.
struct EventView {
    LogTime time = kNoTime;
    int64_t resolution_us = 1'000'000;
    EventKind kind = EventKind::other;
    std::string_view system;    // `nginx`, `apache`, `php-fpm`, `kernel`, `systemd`, `pm2`, ...
    std::string_view severity;  // in the system's word; empty: it has none
    std::string_view message;   // without time and severity
    uint64_t ray = 0;
    int64_t pid = -1;
    int signal = 0;           // of worker_exited
    int exit_code = -1;       // of worker_exited
    std::string_view method;  // of the request the line names
    std::string_view uri;
    std::string_view script;  // that the line names: its path, or no more than its name
    std::string_view host;
    std::string_view client;
};

}  // namespace edgecase::logs
