// Owns the JSON of the origins' part of the admin interface.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "origin/switch_board.hpp"

namespace edgecase::admin {

struct OriginState {
    std::string url;
    bool tls = false;               // without it there is no HTTP/2
    bool http2_configured = false;  // offered to it, says the configuration
    origin::Http2Switch http2 = origin::Http2Switch::configured;
};

/// `{"origins": [{"url", "http2", "http2_configured", "http2_switch"}]}`
std::string origins_json(std::span<const OriginState> origins);

struct Http2Order {
    std::string origin;  // URL
    origin::Http2Switch http2;
};

/// Of `{"origin": URL, "http2": "on" | "off" | "configured"}`. Errors: a sentence.
std::expected<Http2Order, std::string> parse_http2_order(std::string_view json);

std::string error_json(std::string_view sentence);

}  // namespace edgecase::admin
