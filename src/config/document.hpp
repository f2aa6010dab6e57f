// Owns the shape of a settings file before any key is known: names, values, places.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/keys.hpp"

namespace edgecase::config {

struct Place {
    uint32_t line = 0;  // from 1; 0: unknown
    uint32_t column = 0;
};

struct Entry {
    std::string table;  // empty: top level
    std::string name;
    Place name_place;
    Place value_place;
    std::string type;            // as TOML calls it: string, integer, boolean, array, table...
    std::optional<Value> value;  // absent for types that no key has
};

struct RouteEntry {
    Place place;
    std::vector<Entry> entries;
};

struct Document {
    std::vector<Entry> entries;  // in the order of the file
    std::vector<RouteEntry> routes;
};

struct DocumentError {
    Place place;
    std::string message;
};

/// Reads TOML. The tables `timeouts`, `limits`, `retention` and the array `route` are opened; any
/// other table is an entry without value. Errors: the first breach of TOML's grammar.
std::expected<Document, DocumentError> parse_document(std::string_view toml);

/// Whether `[name]` is a table that holds settings.
bool is_settings_table(std::string_view name);

}  // namespace edgecase::config
