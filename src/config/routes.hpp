// Owns the routes of a settings file: their text form, their order.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "config/document.hpp"
#include "config/settings.hpp"
#include "http/url.hpp"

namespace edgecase::config {

/// A host as a route names it: lower-case, no port, IPv6 in brackets. Errors: a sentence.
std::expected<std::string, std::string> parse_route_host(std::string_view text);

/// A path prefix; `/` means any path and becomes empty. Errors: a sentence.
std::expected<std::string, std::string> parse_route_path(std::string_view text);

/// The URL of an origin. Errors: a sentence.
std::expected<http::OriginUrl, std::string> parse_origin(std::string_view text);

/// Reads one [[route]], whose pool must be known or is made of its one origin. Errors: the first
/// wrong key or value, or what is missing.
std::expected<Route, DocumentError> read_route(const TableEntry& table, Settings& settings);

struct RouteFlag {
    Route route;  // without a pool yet
    http::OriginUrl origin;
};
/// `[HOST][/PATH]=URL`, as the flag gives it. Errors: a sentence.
std::expected<RouteFlag, std::string> parse_route(std::string_view text);

/// An origin under the key `origin` is a route that serves everything, replacing the former one.
void set_default_route(Settings& settings, const http::OriginUrl& origin);

/// Most specific first: a host before any host, then the longer path prefix.
void sort_routes(std::vector<Route>& routes);

}  // namespace edgecase::config
