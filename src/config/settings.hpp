// Owns the validated settings of one edge: immutable once loaded, every value with its unit.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "http/url.hpp"
#include "ip/endpoint.hpp"

namespace edgecase::config {

using std::chrono::milliseconds;

struct Timeouts {
    milliseconds connect{19'000};       // SYN to SYN-ACK
    milliseconds ack{90'000};           // request bytes unacknowledged
    milliseconds read{125'000};         // between two reads from the origin
    milliseconds write{30'000};         // origin's receive window closed
    milliseconds response_head{0};      // first response byte to end of head; 0: same as read
    milliseconds pool_idle{900'000};    // an origin connection in the pool
    milliseconds dns{5'000};            // one name resolution
    milliseconds dns_stale{3'600'000};  // use of addresses whose name resolves no more; 0: none
    milliseconds keep_alive{30'000};    // silence before TCP probes; the next follows at half of it
    milliseconds client_head{30'000};   // first byte of a request to the end of its head
    milliseconds client_body{60'000};   // between two reads of a request body
    milliseconds client_write{60'000};  // client's receive window closed
    milliseconds client_idle{400'000};  // keep-alive between requests
    milliseconds drain{10'000};         // SIGTERM to the end
    milliseconds tls_handshake{10'000};  // either side's, from its first byte
    milliseconds h2_ping{0};             // a stream's silence before a PING, again before the end
    milliseconds h2_settings{10'000};    // the origin's SETTINGS after the handshake

    milliseconds effective_response_head() const {
        return response_head.count() == 0 ? read : response_head;
    }
};

struct Limits {
    uint32_t response_header_bytes = 32 * 1024;    // the guide's 32 KB
    uint32_t response_header_warn_bytes = 30'000;  // the guide's warning
    uint32_t response_line_bytes = 16 * 1024;
    uint16_t response_header_count = 256;
    uint32_t request_line_bytes = 16 * 1024;
    uint32_t request_header_bytes = 32 * 1024;
    uint32_t request_header_line_bytes = 16 * 1024;
    uint16_t request_header_count = 128;
    uint64_t request_body_bytes = 100ull * 1024 * 1024;  // 0: no limit
    uint32_t replay_body_bytes = 64 * 1024;              // of a request body kept for a retry
    uint32_t hold_back_bytes = 64 * 1024;                // of a response held until it is complete
    milliseconds hold_back_time{100};
    uint16_t interim_responses = 16;       // 1xx before the final response
    uint32_t client_connections = 16'384;  // per process
    uint32_t origin_connections = 4'096;   // per origin and process
    uint32_t pool_connections = 512;       // idle, per origin and worker
    uint8_t retries = 2;                   // further attempts after the first
    uint32_t h2_concurrent_streams = 128;  // per client connection
    uint32_t h2_origin_streams = 100;      // used at most per origin connection
    uint32_t h2_stream_window_bytes = 256 * 1024;
    uint32_t h2_connection_window_bytes = 1024 * 1024;
    uint32_t h2_resets_per_second = 50;  // RST_STREAM from one connection, as all below
    uint32_t h2_settings_per_second = 10;
    uint32_t h2_pings_per_second = 20;
    uint32_t h2_empty_frames_per_second = 100;
    uint32_t h2_continuations = 32;  // CONTINUATION frames of one header block
};

enum class Balance : uint8_t { round_robin, least_requests, consistent_hash };

struct PoolOrigin {
    http::OriginUrl url;
    uint16_t weight = 1;
    bool operator==(const PoolOrigin&) const = default;
};

/// A request of the edge's own to every origin of a pool, now and then.
struct HealthCheck {
    std::string path;                // empty: none
    std::string host;                // empty: the origin's own
    std::vector<uint16_t> expected;  // empty: 200..299
    milliseconds interval{30'000};
    milliseconds timeout{5'000};
    uint16_t unhealthy_after = 3;  // failures in a row
    uint16_t healthy_after = 2;    // successes in a row
    bool operator==(const HealthCheck&) const = default;
};

/// What takes an origin out of its pool for a while, by the requests it served.
struct Ejection {
    uint16_t failures = 5;  // in a row that could not be talked to; 0: never
    milliseconds time{30'000};
    uint16_t bad_answers = 0;  // in a row of 5xx answers; 0: never
    bool operator==(const Ejection&) const = default;
};

struct Pool {
    std::string name;  // of the text `origin = URL`: the URL
    Balance balance = Balance::round_robin;
    std::vector<PoolOrigin> origins;  // at least one
    HealthCheck health;
    Ejection ejection;
    bool operator==(const Pool&) const = default;
};

struct Route {
    std::string host;         // exact, lower-case; empty: any host
    std::string path_prefix;  // empty: any path
    size_t pool = 0;          // in Settings::pools
    bool operator==(const Route&) const = default;
};

/// Which requests leave a record.
enum class Recorded : uint8_t {
    all,
    failures,  // and what hides one; the rest is only counted
    none,      // `off`: nothing is kept, nor counted over time
};

struct Retention {
    Recorded records = Recorded::all;
    std::chrono::hours age{24 * 7};
    uint64_t bytes = 1ull << 30;
};

/// Paths of PEM files; the settings are checked to name readable files, not what they hold.
struct Certificate {
    std::string certificate_file;
    std::string key_file;
    bool operator==(const Certificate&) const = default;
};

/// What an `https` origin gets: off and flexible plain HTTP, full TLS, strict TLS and a check of
/// its certificate. An `http` origin is always plain.
enum class SslMode : uint8_t { off, flexible, full, strict };

struct OriginTls {
    SslMode mode = SslMode::strict;
    std::string name;              // SNI and certificate name; empty: the URL's host
    std::string ca_file;           // PEM; empty: the system's
    std::string certificate_file;  // PEM, shown to origins; empty: none
    std::string key_file;
    bool http2 = true;  // offered to origins by ALPN
    bool operator==(const OriginTls&) const = default;
};

/// What is done with the traceparent field (W3C Trace Context) of requests.
enum class TraceParents : uint8_t {
    passed,     // `off`: like any other field
    continued,  // where a client sent one
    always,     // begun where it did not
};

/// A file with one line for each request, beside the store.
struct AccessLog {
    enum class Format : uint8_t { json, combined };
    std::string path;  // empty: none
    Format format = Format::json;
    bool operator==(const AccessLog&) const = default;
};

/// Where the records of many edges come together.
struct Ledger {
    enum class Kind : uint8_t { sqlite, clickhouse };
    Kind kind = Kind::sqlite;  // sqlite: they stay in data_dir
    std::vector<std::string> urls;
    std::string database = "edgecase";
    std::string user = "default";
    std::string password_file;  // its first line; so that it stands in no configuration
    std::string password_env;   // or the value of that variable
    std::string ca_file;        // PEM; empty: the system's
    std::string cluster;        // of ClickHouse; empty: one server
    std::string node;           // this edge's name; empty: the machine's
    std::chrono::hours keep{24 * 30};
    bool secrets = false;  // true: credentials leave the machine
    bool operator==(const Ledger&) const = default;
};

struct Settings {
    ip::Endpoint listen;                       // TLS when there are certificates
    std::optional<ip::Endpoint> listen_plain;  // a second listener, never TLS
    std::vector<Certificate> certificates;     // chosen by SNI; the first is for all other names
    std::optional<ip::Endpoint> admin;         // loopback unless there is a token
    std::string admin_socket;                  // path of a Unix socket instead; empty: none
    std::string admin_token_file;              // whoever asks must show what it holds; empty: none
    std::filesystem::path data_dir = "edgecase-data";
    std::vector<Pool> pools;
    std::vector<Route> routes;  // most specific first; `origin` is a route that matches all
    std::string profile = "default";
    Timeouts timeouts;
    Limits limits;
    unsigned workers = 0;                  // 0: one per core
    std::string colo = "LAB";              // three upper-case letters
    std::optional<unsigned> node_id;       // 0..4095; absent: random at start
    std::optional<ip::Endpoint> resolver;  // absent: the system's
    bool host_to_origin = true;  // pass the client's Host on (else the origin's authority)
    bool early_hints = false;    // 103 made of the Link fields of earlier responses
    OriginTls origin_tls;
    std::vector<ip::Address> egress;  // source addresses in rotation; empty: the system's choice
    TraceParents trace_parents = TraceParents::continued;
    Retention retention;
    AccessLog access_log;
    Ledger ledger;
};

/// The first origin of the route's pool.
inline const http::OriginUrl& first_origin(const Settings& settings, const Route& route) {
    return settings.pools[route.pool].origins.front().url;
}

}  // namespace edgecase::config
