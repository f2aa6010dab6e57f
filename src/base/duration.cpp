#include "base/duration.hpp"

#include <charconv>

namespace edgecase::base {

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
    // A year: longer than any timeout can mean, and far from overflow in every unit.
    constexpr int64_t kMaximumMs = 366LL * 24 * 3600 * 1000;
    int64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || value < 0 || text.starts_with('-')) return std::nullopt;
    const std::string_view unit(rest, static_cast<size_t>(end - rest));
    int64_t scale = 0;
    if (unit == "ms") scale = 1;
    if (unit == "s") scale = 1000;
    if (unit == "m") scale = 60'000;
    if (unit == "h") scale = 3'600'000;
    if (unit == "d") scale = 24 * 3'600'000;
    if (scale == 0 || value > kMaximumMs / scale) return std::nullopt;
    return std::chrono::milliseconds(value * scale);
}

std::string format_duration(std::chrono::milliseconds duration) {
    const int64_t ms = duration.count();
    if (ms != 0 && ms % 3'600'000 == 0) return std::to_string(ms / 3'600'000) + "h";
    if (ms != 0 && ms % 60'000 == 0) return std::to_string(ms / 60'000) + "m";
    if (ms % 1000 == 0) return std::to_string(ms / 1000) + "s";
    return std::to_string(ms) + "ms";
}

}  // namespace edgecase::base
