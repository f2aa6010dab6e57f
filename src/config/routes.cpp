#include "config/routes.hpp"

#include <algorithm>
#include <expected>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/ascii.hpp"
#include "base/escape.hpp"
#include "config/settings.hpp"
#include "http/url.hpp"
#include "ip/endpoint.hpp"

namespace edgecase::config {
namespace {

constexpr size_t kMaximumHostBytes = 253;   // RFC 1035 §2.3.4, without the final dot
constexpr size_t kMaximumPathBytes = 1024;  // far above any prefix a person writes

std::unexpected<std::string> wrong(std::string_view text, std::string_view why) {
    return std::unexpected("\"" + base::escape(text.substr(0, 200)) + "\" " + std::string(why));
}

bool is_name_byte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

}  // namespace

std::expected<std::string, std::string> parse_route_host(std::string_view text) {
    if (text.contains('*')) {
        return wrong(text, "has a wildcard; name the host exactly, or leave it out for any host");
    }
    if (text.starts_with('[') && text.ends_with(']')) {
        const auto address = ip::Address::parse(text.substr(1, text.size() - 2));
        if (!address || address->is_v4()) return wrong(text, "is not an IPv6 address in brackets");
        return "[" + address->to_string() + "]";
    }
    if (text.contains(':')) return wrong(text, "must be a host without a port");
    std::string host = base::to_lower(text);
    if (host.ends_with('.')) host.pop_back();
    if (host.empty() || host.size() > kMaximumHostBytes ||
        !std::ranges::all_of(host, is_name_byte)) {
        return wrong(text, "is not a host name");
    }
    return host;
}

std::expected<std::string, std::string> parse_route_path(std::string_view text) {
    if (!text.starts_with('/')) return wrong(text, "must begin with /");
    if (text.size() > kMaximumPathBytes) return wrong(text, "is longer than 1024 bytes");
    const auto is_path_byte = [](char c) { return c > ' ' && c < '\x7f' && c != '?' && c != '#'; };
    if (!std::ranges::all_of(text, is_path_byte)) {
        return wrong(text, "has a character that no request path carries; percent-encode it");
    }
    return text == "/" ? std::string() : std::string(text);
}

std::expected<http::OriginUrl, std::string> parse_origin(std::string_view text) {
    // The parser quotes its input; control bytes must not reach a terminal through it.
    if (!std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; })) {
        return wrong(text, "has a character that no URL carries");
    }
    auto url = http::OriginUrl::parse(text);
    if (url && url->scheme == http::OriginUrl::Scheme::https) {
        return std::unexpected("https origins need TLS, which this version does not have yet");
    }
    return url;
}

std::expected<Route, std::string> parse_route(std::string_view text) {
    const size_t equals = text.find("=http");
    if (equals == std::string_view::npos) return wrong(text, "is not [HOST][/PATH]=URL");
    Route route;
    const std::string_view match = text.substr(0, equals);
    const size_t slash = std::min(match.find('/'), match.size());
    if (slash > 0) {
        auto host = parse_route_host(match.substr(0, slash));
        if (!host) return std::unexpected(std::move(host.error()));
        route.host = std::move(*host);
    }
    if (slash < match.size()) {
        auto path = parse_route_path(match.substr(slash));
        if (!path) return std::unexpected(std::move(path.error()));
        route.path_prefix = std::move(*path);
    }
    auto origin = parse_origin(text.substr(equals + 1));
    if (!origin) return std::unexpected(std::move(origin.error()));
    route.origin = std::move(*origin);
    return route;
}

void sort_routes(std::vector<Route>& routes) {
    std::ranges::sort(routes, [](const Route& a, const Route& b) {
        // Names and paths last, so that equal files give equal lists whatever their order.
        return std::tuple(a.host.empty(), b.path_prefix.size(), std::string_view(a.host),
                          std::string_view(a.path_prefix)) <
               std::tuple(b.host.empty(), a.path_prefix.size(), std::string_view(b.host),
                          std::string_view(b.path_prefix));
    });
}

}  // namespace edgecase::config
