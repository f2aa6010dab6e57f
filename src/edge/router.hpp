// Owns the choice of an origin by host and path.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "config/settings.hpp"

namespace edgecase::edge {

/// The index of the first route that matches; `routes` stand most specific first. `host` may carry
/// a port. Errors: nullopt when none matches.
std::optional<size_t> match_route(std::span<const config::Route> routes, std::string_view host,
                                  std::string_view path);

}  // namespace edgecase::edge
