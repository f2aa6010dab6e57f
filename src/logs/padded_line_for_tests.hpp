// Owns a line of a test with the bytes behind it that readers may touch, and no byte more.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include "logs/reader.hpp"

namespace edgecase::logs {

class PaddedLine {
  public:
    explicit PaddedLine(std::string_view text)
        // What stands behind a line is the next one; it must not be taken for a part of this one.
        : bytes_(text.size() + kLinePadding, '"'), size_(text.size()) {
        std::ranges::copy(text, bytes_.begin());
    }
    operator std::string_view() const { return {bytes_.data(), size_}; }

  private:
    std::vector<char> bytes_;
    size_t size_;
};

}  // namespace edgecase::logs
