// Owns the JSON of the origins' part of the admin interface.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "origin/switch_board.hpp"

namespace edgecase::admin {

struct PoolHealth {
    std::string name;
    bool healthy = true;
    std::string last_error;  // of the last check that failed; empty: none did
};

struct OriginState {
    std::string url;
    bool tls = false;               // without it there is no HTTP/2
    bool http2_configured = false;  // offered to it, says the configuration
    origin::Http2Switch http2 = origin::Http2Switch::configured;
    std::vector<PoolHealth> pools{};  // those whose health checks look at it
    size_t idle = 0;                  // connections kept
    size_t active = 0;                // connections and streams in use
    /// How long the connection was idle that the origin closed last.
    std::optional<int64_t> idle_timeout_ms{};
    // In the last hour; nothing where the records cannot be read:
    std::optional<uint64_t> requests{};
    std::optional<uint64_t> failures{};
    std::optional<int64_t> p50_us{};
    std::optional<int64_t> p95_us{};
};

/// `{"origins": [{"url", "http2", "http2_configured", "http2_switch", "pools", "requests",
/// "failures", "p50_ms", "p95_ms", "connections": {"idle", "active"}, "idle_timeout_ms"}]}`
std::string origins_json(std::span<const OriginState> origins);

struct Http2Order {
    std::string origin;  // URL
    origin::Http2Switch http2;
};

/// Of `{"origin": URL, "http2": "on" | "off" | "configured"}`. Errors: a sentence.
std::expected<Http2Order, std::string> parse_http2_order(std::string_view json);

}  // namespace edgecase::admin
