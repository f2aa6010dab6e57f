// Owns the table of settings that a file or a flag can give: name, range, where the value goes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "config/settings.hpp"
#include "config/values.hpp"

namespace edgecase::config {

struct Key {
    enum class Kind : uint8_t {
        any,      // `set` looks at it
        integer,  // a flag's text becomes a number first
        file,     // a name becomes a whole path first
        list,     // `set` takes one element after the other
    };
    std::string_view table;  // empty: top level
    std::string_view name;
    Kind kind;
    Problem (*set)(Settings&, const Value&);
    std::string_view example{};  // of a list

    /// `timeouts.connect`, or the name alone at top level.
    std::string path() const;
};

std::span<const Key> keys();

/// The key of that table and name; null when there is none.
const Key* find_key(std::string_view table, std::string_view name);

/// The path of the right key that looks most like a wrong one; empty when nothing comes near.
std::string nearest_key(std::string_view table, std::string_view name);

}  // namespace edgecase::config
