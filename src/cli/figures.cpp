#include "cli/figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace edgecase::cli {

std::string count_text(uint64_t count) {
    if (count >= 1'000'000) {
        constexpr std::array<std::string_view, 4> kUnits{"M", "G", "T", "P"};
        double value = static_cast<double>(count) / 1e6;
        size_t unit = 0;
        while (value >= 999.95 && unit + 1 < kUnits.size()) {
            value /= 1000;
            ++unit;
        }
        return fmt::format("{:.1f}{}", value, kUnits[unit]);
    }
    std::string text = std::to_string(count);
    if (text.size() > 3) text.insert(text.size() - 3, ",");
    return text;
}

std::string bytes_text(uint64_t bytes) {
    constexpr std::array<std::string_view, 5> kUnits{"KiB", "MiB", "GiB", "TiB", "PiB"};
    if (bytes < 1024) return fmt::format("{} B", bytes);
    double value = static_cast<double>(bytes) / 1024;
    size_t unit = 0;
    while (value >= 1023.95 && unit + 1 < kUnits.size()) {
        value /= 1024;
        ++unit;
    }
    return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string latency_text(std::optional<int64_t> microseconds) {
    if (!microseconds) return "-";
    const double ms = static_cast<double>(*microseconds) / 1000;
    if (ms >= 1000) return fmt::format("{:.2f} s", ms / 1000);
    if (ms >= 100) return fmt::format("{:.0f} ms", ms);
    if (ms >= 10) return fmt::format("{:.1f} ms", ms);
    return fmt::format("{:.2f} ms", ms);
}

std::string share_text(uint64_t part, uint64_t whole) {
    if (whole == 0 || part == 0) return "-";
    const double share = 100 * static_cast<double>(part) / static_cast<double>(whole);
    if (share < 0.1) return "<0.1 %";
    if (part != whole && share > 99.9) return ">99.9 %";
    return fmt::format("{:.1f} %", share);
}

std::string change_text(double now, double before) {
    if (before <= 0 || now == before) return {};
    const double ratio = now / before;
    if (ratio >= 10) return fmt::format("x{:.0f}", ratio);
    const double percent = std::round((ratio - 1) * 100);
    return percent == 0 ? std::string() : fmt::format("{:+.0f} %", percent);
}

std::string rate_text(double per_second) {
    if (per_second >= 1000) return count_text(static_cast<uint64_t>(per_second)) + "/s";
    if (per_second >= 100) return fmt::format("{:.0f}/s", per_second);
    if (per_second >= 10) return fmt::format("{:.1f}/s", per_second);
    return fmt::format("{:.2f}/s", per_second);
}

std::vector<uint64_t> resampled(std::span<const uint64_t> values, size_t columns, Merge merge) {
    if (columns == 0) return {};
    const size_t each = (values.size() + columns - 1) / columns;
    if (each <= 1) return {values.begin(), values.end()};
    std::vector<uint64_t> result((values.size() + each - 1) / each);
    for (size_t i = 0; i < values.size(); ++i) {
        uint64_t& column = result[i / each];
        column = merge == Merge::sum ? column + values[i] : std::max(column, values[i]);
    }
    return result;
}

}  // namespace edgecase::cli
