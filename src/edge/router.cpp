#include "edge/router.hpp"

#include "base/ascii.hpp"

namespace edgecase::edge {
namespace {

std::string_view without_port(std::string_view host) {
    const size_t colon = host.rfind(':');
    const size_t bracket = host.rfind(']');
    if (colon == std::string_view::npos) return host;
    if (bracket != std::string_view::npos && bracket > colon) return host;
    return host.substr(0, colon);
}

/// A prefix matches whole segments: `/api` matches `/api`, `/api/x` and `/api?x`, not `/apiary`.
bool path_matches(std::string_view path, std::string_view prefix) {
    if (!path.starts_with(prefix)) return false;
    if (prefix.empty() || prefix.ends_with('/') || path.size() == prefix.size()) return true;
    return path[prefix.size()] == '/' || path[prefix.size()] == '?';
}

}  // namespace

std::optional<size_t> match_route(std::span<const config::Route> routes, std::string_view host,
                                  std::string_view path) {
    const std::string_view name = without_port(host);
    for (size_t i = 0; i < routes.size(); ++i) {
        const config::Route& route = routes[i];
        if (!route.host.empty() && !base::iequals(route.host, name)) continue;
        if (path_matches(path, route.path_prefix)) return i;
    }
    return std::nullopt;
}

}  // namespace edgecase::edge
