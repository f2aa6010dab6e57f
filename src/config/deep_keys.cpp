#include "config/deep_keys.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace edgecase::config {
namespace {

constexpr uint32_t kMaximumDots = 7;

/// The length of the string or comment that `text` begins with; 0: it begins with neither.
size_t opaque_bytes(std::string_view text) {
    if (text.starts_with('#')) return std::min(text.find('\n'), text.size());
    if (!text.starts_with('"') && !text.starts_with('\'')) return 0;
    const char quote = text.front();
    const bool is_long = text.size() >= 3 && text[1] == quote && text[2] == quote;
    const std::string_view end = text.substr(0, is_long ? 3 : 1);
    for (size_t at = end.size(); at < text.size(); ++at) {
        if (text[at] == '\\' && quote == '"') {
            ++at;
        } else if (text.substr(at).starts_with(end)) {
            return at + end.size();
        } else if (text[at] == '\n' && !is_long) {
            return at;  // a mistake, for the parser to tell
        }
    }
    return text.size();
}

}  // namespace

std::optional<uint32_t> line_of_deep_key(std::string_view toml) {
    constexpr std::string_view kEndsOfKeys = "\n=,[]{}";
    uint32_t line = 1;
    uint32_t dots = 0;
    for (size_t at = 0; at < toml.size();) {
        const size_t opaque = opaque_bytes(toml.substr(at));
        if (opaque > 0) {
            line += static_cast<uint32_t>(std::ranges::count(toml.substr(at, opaque), '\n'));
            at += opaque;
            continue;
        }
        if (toml[at] == '.' && ++dots > kMaximumDots) return line;
        if (kEndsOfKeys.contains(toml[at])) dots = 0;
        if (toml[at] == '\n') ++line;
        ++at;
    }
    return std::nullopt;
}

}  // namespace edgecase::config
