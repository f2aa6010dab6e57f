// Owns the validated settings of one edge: immutable once loaded, every value with its unit.
#pragma once

#include <chrono>
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
    milliseconds keep_alive{30'000};    // silence before TCP probes; the next follows at half of it
    milliseconds client_head{30'000};   // first byte of a request to the end of its head
    milliseconds client_body{60'000};   // between two reads of a request body
    milliseconds client_write{60'000};  // client's receive window closed
    milliseconds client_idle{400'000};  // keep-alive between requests
    milliseconds drain{10'000};         // SIGTERM to the end

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
};

struct Route {
    std::string host;         // exact, lower-case; empty: any host
    std::string path_prefix;  // empty: any path
    http::OriginUrl origin;
    bool operator==(const Route&) const = default;
};

struct Retention {
    std::chrono::hours age{24 * 7};
    uint64_t bytes = 1ull << 30;
};

enum class SslMode : uint8_t { off, flexible, full, strict };

struct Settings {
    ip::Endpoint listen;
    std::optional<ip::Endpoint> admin;  // loopback unless told otherwise
    std::filesystem::path data_dir = "edgecase-data";
    std::vector<Route> routes;  // most specific first; `origin` is a route that matches all
    std::string profile = "default";
    Timeouts timeouts;
    Limits limits;
    unsigned workers = 0;                  // 0: one per core
    std::string colo = "LAB";              // three upper-case letters
    std::optional<unsigned> node_id;       // 0..4095; absent: random at start
    std::optional<ip::Endpoint> resolver;  // absent: the system's
    bool host_to_origin = true;  // pass the client's Host on (else the origin's authority)
    SslMode ssl_mode = SslMode::strict;
    std::string origin_name;  // SNI and certificate name; used once origins speak TLS
    Retention retention;
};

}  // namespace edgecase::config
