// Owns the pools of a settings file: reading one, finding one, their order.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string_view>

#include "config/document.hpp"
#include "config/settings.hpp"
#include "http/url.hpp"

namespace edgecase::config {

/// Reads one [[pool]] with its sub-tables. Errors: the first wrong key or value, or what is
/// missing.
std::expected<Pool, DocumentError> read_pool(const TableEntry& table);

/// The index of the pool a route names. Errors: nullopt.
std::optional<size_t> find_pool(const Settings& settings, std::string_view name);

/// The index of the unnamed pool of this one origin, made when there is none yet.
size_t pool_of_one(Settings& settings, const http::OriginUrl& origin);

/// Whether it is a [[pool]] of the file; else a route's `origin` made it.
bool is_named(const Pool& pool);

/// The named ones first, as in the file, then the others in the order of the routes that use them;
/// an unnamed one that no route uses any more goes.
void tidy_pools(Settings& settings);

}  // namespace edgecase::config
