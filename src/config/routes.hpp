// Owns the routes of a settings file: their text form, their order.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.hpp"

namespace edgecase::config {

/// A host as a route names it: lower-case, no port, IPv6 in brackets. Errors: a sentence.
std::expected<std::string, std::string> parse_route_host(std::string_view text);

/// A path prefix; `/` means any path and becomes empty. Errors: a sentence.
std::expected<std::string, std::string> parse_route_path(std::string_view text);

/// The URL of an origin this version can speak to. Errors: a sentence.
std::expected<http::OriginUrl, std::string> parse_origin(std::string_view text);

/// `[HOST][/PATH]=URL`, as the flag gives it. Errors: a sentence.
std::expected<Route, std::string> parse_route(std::string_view text);

/// Most specific first: a host before any host, then the longer path prefix.
void sort_routes(std::vector<Route>& routes);

}  // namespace edgecase::config
