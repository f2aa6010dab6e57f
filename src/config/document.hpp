// Owns the shape of a settings file before any key is known: names, values, places.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/values.hpp"

namespace edgecase::config {

struct Place {
    uint32_t line = 0;  // from 1; 0: unknown
    uint32_t column = 0;
};

/// `Entry::type` of what holds elements.
constexpr std::string_view kTableType = "a table";
constexpr std::string_view kArrayType = "an array";

struct Entry {
    std::string table;  // empty: top level; `pool.health` in the second of two
    std::string name;   // empty: an element of an array
    Place name_place;
    Place value_place;
    std::string type;             // as TOML calls it: string, integer, boolean, array, table...
    std::optional<Value> value;   // absent for arrays, tables and types that no key has
    std::vector<Entry> elements;  // of an array or a table, to the depth that keys have
};

/// One [[route]], [[pool]] or [[certificate]].
struct TableEntry {
    Place place;
    std::vector<Entry> entries;
};

struct Document {
    std::vector<Entry> entries;  // in the order of the file
    std::vector<TableEntry> pools;
    std::vector<TableEntry> routes;
    std::vector<TableEntry> certificates;
};

struct DocumentError {
    Place place;
    std::string message;
};

/// Reads TOML. The tables `timeouts`, `limits`, `retention` and the arrays of tables `pool`,
/// `route`, `certificate` are opened; any other table is an entry without value. Errors: the first
/// breach of TOML's grammar.
std::expected<Document, DocumentError> parse_document(std::string_view toml);

/// Whether `[name]` is a table that holds settings.
bool is_settings_table(std::string_view name);
/// Whether `[[name]]` is a table of which there may be several.
bool is_repeated_table(std::string_view name);

}  // namespace edgecase::config
