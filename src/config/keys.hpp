// Owns the table of settings that a file or a flag can give: name, range, where the value goes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "config/settings.hpp"

namespace edgecase::config {

using Value = std::variant<std::string, int64_t, bool>;

/// What is wrong with a value, to be read behind the name of its key: `must be ...`.
using Problem = std::optional<std::string>;

struct Key {
    std::string_view table;  // empty: top level
    std::string_view name;
    bool is_integer;  // a flag's text becomes a number first
    Problem (*set)(Settings&, const Value&);

    /// `timeouts.connect`, or the name alone at top level.
    std::string path() const;
};

std::span<const Key> keys();

/// The key of that table and name; null when there is none.
const Key* find_key(std::string_view table, std::string_view name);

/// The path of the right key that looks most like a wrong one; empty when nothing comes near.
std::string nearest_key(std::string_view table, std::string_view name);

/// An origin under the key `origin` is a route that serves everything, replacing the former one.
void set_default_route(Settings& settings, http::OriginUrl origin);

}  // namespace edgecase::config
