// Owns a request to the admin listener and its answer, as values without a socket.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"

namespace edgecase::admin {

struct Request {
    std::string method;
    std::string path;  // decoded; without the query
    std::vector<std::pair<std::string, std::string>> parameters;
    std::string host;
    std::string origin;         // the Origin field: the page that asks, if a page does
    std::string fetch_site;     // Sec-Fetch-Site: `cross-site` when another site's page asks
    std::string content_type;   // without parameters
    std::string authorization;  // the whole field
    std::string cookie;
    std::string body;
    std::string peer;   // address of who asks; empty on a Unix socket
    bool gzip = false;  // accepted

    /// Empty: not given. A parameter given twice counts once, the first time.
    std::string_view parameter(std::string_view name) const;
};

/// Splits a request target into path and parameters. False: not well encoded.
bool parse_target(std::string_view target, Request& into);

struct Response {
    uint16_t status = 200;
    std::string type = "application/json";
    std::string body;
    std::vector<std::pair<std::string, std::string>> fields = {};

    static Response error(uint16_t status, std::string_view sentence);
    static Response json(std::string text) { return {.body = std::move(text)}; }
};

/// `2026-11-24T13:38:07.123Z`, UTC unless it says otherwise, or a duration back from `now` (`15m`,
/// `7d`). Errors: nullopt.
std::optional<base::WallTime> parse_time(std::string_view text, base::WallTime now);

struct Span {
    base::WallTime since;
    base::WallTime until;
};
/// Of `since` and `until`; `usual` back from now when they are not given. Errors: a sentence.
std::expected<Span, std::string> parse_span(const Request& request, base::WallTime now,
                                            std::chrono::seconds usual);

}  // namespace edgecase::admin
