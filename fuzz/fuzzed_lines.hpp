// Owns the bytes of a fuzzer's input as lines for log readers, each with no more behind it than
// readers may touch.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

#include "logs/reader.hpp"

namespace edgecase::fuzz {

template <typename Visit>
void for_each_padded_line(std::string_view text, Visit visit) {
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        std::vector<char> bytes(line.size() + logs::kLinePadding, '"');
        std::ranges::copy(line, bytes.begin());
        visit(std::string_view(bytes.data(), line.size()));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
    }
}

/// Reads every byte, so that a sanitizer sees a view of what is not there.
inline void touch(std::string_view text) {
    volatile unsigned char sum = 0;
    for (const char c : text) sum = static_cast<unsigned char>(sum ^ static_cast<unsigned char>(c));
}

}  // namespace edgecase::fuzz
