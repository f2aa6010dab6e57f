// Owns the search for keys of so many parts that the TOML parser would use up the stack on them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace edgecase::config {

/// The line, from 1, of the first key with more than eight parts; no setting has more than three.
/// toml++ bounds the nesting of values, not of `a.a.a`, and frees each part inside the former one.
std::optional<uint32_t> line_of_deep_key(std::string_view toml);

}  // namespace edgecase::config
