#include "base/percent.hpp"

#include <array>
#include <charconv>

namespace edgecase::base {

std::string percent(double share) {
    const double percent = share * 100;
    if (!(percent > 0)) return "0 %";
    if (percent >= 100) return "100 %";
    if (percent > 99.95) return "> 99.9 %";
    if (percent < 0.01) return "< 0.01 %";
    std::array<char, 16> digits;
    const auto [end, _] = std::to_chars(digits.begin(), digits.end(), percent,
                                        std::chars_format::fixed, percent < 0.1 ? 2 : 1);
    std::string text(digits.begin(), end);
    while (text.ends_with('0')) text.pop_back();
    if (text.ends_with('.')) text.pop_back();
    return text + " %";
}

}  // namespace edgecase::base
