// Owns the reading of one value: its type, its range, the words when it is wrong.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace edgecase::config {

using Value = std::variant<std::string, int64_t, bool>;

/// What is wrong with a value, to be read behind the name of its key: `must be ...`.
using Problem = std::optional<std::string>;

/// A value that was read. Errors: a Problem's text.
template <typename T>
using Read = std::expected<T, std::string>;

/// The text when the value is one and not empty; else null.
const std::string* as_text(const Value& value);

Read<std::chrono::milliseconds> read_duration(const Value& value, std::chrono::milliseconds minimum,
                                              std::chrono::milliseconds maximum);
Read<int64_t> read_count(const Value& value, int64_t minimum, int64_t maximum);
/// A number, or a text with KiB, MiB or GiB behind the number.
Read<int64_t> read_bytes(const Value& value, int64_t minimum, int64_t maximum);
Read<bool> read_switch(const Value& value);
/// An existing file; a relative name is looked for in `directory`. Gives the whole path.
Read<std::string> read_file_name(const Value& value, std::string_view directory);

/// `must be RIGHT, not VALUE`.
std::string must_be(std::string_view right, const Value& value);
/// The value as it would stand in a file, harmless to a terminal.
std::string shown(const Value& value);
std::string in_ticks(std::string_view name);
std::string with_guess(std::string message, std::string_view guess);

}  // namespace edgecase::config
