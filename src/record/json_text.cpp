#include "record/json_text.hpp"

#include <cstdint>

namespace edgecase::record {
namespace {

/// Length of the valid UTF-8 sequence at the front, 0 if there is none. Source: RFC 3629 §4.
size_t sequence_bytes(std::string_view text) {
    const auto at = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
    const uint8_t first = at(0);
    if (first < 0x80) return 1;
    const size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() < size) return 0;
    for (size_t i = 1; i < size; ++i) {
        if ((at(i) & 0xc0) != 0x80) return 0;
    }
    const uint8_t second = at(1);
    if (first == 0xe0 && second < 0xa0) return 0;  // overlong
    if (first == 0xed && second > 0x9f) return 0;  // surrogates
    if (first == 0xf0 && second < 0x90) return 0;  // overlong
    if (first == 0xf4 && second > 0x8f) return 0;  // beyond U+10FFFF
    return size;
}

}  // namespace

std::string json_text(std::string_view bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size());
    while (!bytes.empty()) {
        const size_t size = sequence_bytes(bytes);
        if (size == 0) {
            const auto byte = static_cast<uint8_t>(bytes.front());
            text += "\\x";
            text += kDigits[byte >> 4];
            text += kDigits[byte & 0xf];
            bytes.remove_prefix(1);
        } else {
            text += bytes.substr(0, size);
            bytes.remove_prefix(size);
        }
    }
    return text;
}

}  // namespace edgecase::record
