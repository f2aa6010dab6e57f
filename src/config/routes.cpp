#include "config/routes.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "base/ascii.hpp"
#include "base/escape.hpp"
#include "config/document.hpp"
#include "config/nearest.hpp"
#include "config/pools.hpp"
#include "config/settings.hpp"
#include "config/values.hpp"
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

std::expected<size_t, std::string> pool_index(const Settings& settings, std::string_view name) {
    if (const auto pool = find_pool(settings, name)) return *pool;
    std::vector<std::string_view> names;
    for (const Pool& pool : settings.pools) {
        if (is_named(pool)) names.push_back(pool.name);
    }
    auto error = wrong(name, "is not the name of a [[pool]]");
    return std::unexpected(with_guess(std::move(error.error()), nearest(name, names)));
}

std::expected<size_t, std::string> origin_index(Settings& settings, std::string_view text) {
    const auto origin = parse_origin(text);
    if (!origin) return std::unexpected(origin.error());
    return pool_of_one(settings, *origin);
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
    return http::OriginUrl::parse(text);
}

std::expected<Route, DocumentError> read_route(const TableEntry& table, Settings& settings) {
    using Wrong = std::optional<DocumentError>;
    Route route;
    const Entry* first_target = nullptr;
    const auto take = [](const Entry& entry, auto parsed, auto& target) -> Wrong {
        if (!parsed) {
            return DocumentError{entry.value_place,
                                 "`route." + entry.name + "` is wrong: " + parsed.error()};
        }
        target = std::move(*parsed);
        return std::nullopt;
    };
    for (const Entry& entry : table.entries) {
        constexpr std::array<std::string_view, 4> kNames{"host", "path", "pool", "origin"};
        if (std::ranges::find(kNames, entry.name) == kNames.end()) {
            return std::unexpected(
                DocumentError{entry.name_place,
                              with_guess("unknown key " + in_ticks(entry.name) + " in [[route]]",
                                         nearest(entry.name, kNames))});
        }
        const auto* text = entry.value ? std::get_if<std::string>(&*entry.value) : nullptr;
        if (text == nullptr) {
            return std::unexpected(
                DocumentError{entry.value_place,
                              "`route." + entry.name + "` must be a string, not " + entry.type});
        }
        Wrong error;
        if (entry.name == "host") error = take(entry, parse_route_host(*text), route.host);
        if (entry.name == "path") error = take(entry, parse_route_path(*text), route.path_prefix);
        if (entry.name == "pool" || entry.name == "origin") {
            if (first_target != nullptr) {
                return std::unexpected(DocumentError{
                    entry.name_place, "`route." + entry.name + "` cannot stand beside `" +
                                          first_target->name + "`; give one of them"});
            }
            first_target = &entry;
        }
        if (entry.name == "pool") error = take(entry, pool_index(settings, *text), route.pool);
        if (entry.name == "origin") {
            error = take(entry, origin_index(settings, *text), route.pool);
        }
        if (error) return std::unexpected(std::move(*error));
    }
    if (first_target != nullptr) return route;
    return std::unexpected(DocumentError{table.place, "this [[route]] has no `origin` or `pool`"});
}

std::expected<RouteFlag, std::string> parse_route(std::string_view text) {
    const size_t equals = text.find("=http");
    if (equals == std::string_view::npos) return wrong(text, "is not [HOST][/PATH]=URL");
    RouteFlag flag;
    const std::string_view match = text.substr(0, equals);
    const size_t slash = std::min(match.find('/'), match.size());
    if (slash > 0) {
        auto host = parse_route_host(match.substr(0, slash));
        if (!host) return std::unexpected(std::move(host.error()));
        flag.route.host = std::move(*host);
    }
    if (slash < match.size()) {
        auto path = parse_route_path(match.substr(slash));
        if (!path) return std::unexpected(std::move(path.error()));
        flag.route.path_prefix = std::move(*path);
    }
    auto origin = parse_origin(text.substr(equals + 1));
    if (!origin) return std::unexpected(std::move(origin.error()));
    flag.origin = std::move(*origin);
    return flag;
}

void set_default_route(Settings& settings, const http::OriginUrl& origin) {
    std::erase_if(settings.routes, [](const Route& route) {
        return route.host.empty() && route.path_prefix.empty();
    });
    const size_t pool = pool_of_one(settings, origin);
    settings.routes.push_back(Route{.host = {}, .path_prefix = {}, .pool = pool});
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
