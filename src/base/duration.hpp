// Owns the text form of durations: `2s`, `500ms`, `1m`, `1h`, `7d`.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace edgecase::base {

/// A whole number followed by ms, s, m, h or d; nothing else, and at most 366 days.
/// Errors: nullopt for anything that is not exactly that.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// The shortest exact form: `1500ms`, `2s`, `15m`.
std::string format_duration(std::chrono::milliseconds duration);

}  // namespace edgecase::base
