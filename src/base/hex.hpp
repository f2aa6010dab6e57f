// Owns lower-case hexadecimal text of 64-bit numbers.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace edgecase::base {

inline std::array<char, 16> hex16(uint64_t value) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::array<char, 16> text{};
    for (size_t i = 16; i-- > 0; value >>= 4) text[i] = kDigits[value & 0xf];
    return text;
}

/// Exactly 16 lower-case hex digits. Errors: nullopt for anything else.
inline std::optional<uint64_t> parse_hex16(std::string_view text) {
    if (text.size() != 16) return std::nullopt;
    uint64_t value = 0;
    for (const char c : text) {
        uint64_t digit = 0;
        if (c >= '0' && c <= '9') {
            digit = static_cast<uint64_t>(c - '0');
        } else if (c >= 'a' && c <= 'f') {
            digit = static_cast<uint64_t>(c - 'a') + 10;
        } else {
            return std::nullopt;
        }
        value = value << 4 | digit;
    }
    return value;
}

}  // namespace edgecase::base
