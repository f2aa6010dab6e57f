#include "config/values.hpp"

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>

#include "base/duration.hpp"
#include "base/escape.hpp"

namespace edgecase::config {
namespace {

constexpr int64_t kKiB = 1024;

std::optional<int64_t> parse_bytes(const Value& value) {
    if (const auto* number = std::get_if<int64_t>(&value)) return *number;
    const auto* text = as_text(value);
    if (text == nullptr) return std::nullopt;
    int64_t number = 0;
    const char* const end = text->data() + text->size();
    const auto [rest, error] = std::from_chars(text->data(), end, number);
    const std::string_view unit(rest, static_cast<size_t>(end - rest));
    int64_t scale = 0;
    if (unit == "KiB") scale = kKiB;
    if (unit == "MiB") scale = kKiB * kKiB;
    if (unit == "GiB") scale = kKiB * kKiB * kKiB;
    if (error != std::errc() || scale == 0 || number < 0) return std::nullopt;
    if (number > std::numeric_limits<int64_t>::max() / scale) return std::nullopt;
    return number * scale;
}

Read<int64_t> in_range(int64_t number, int64_t minimum, int64_t maximum, const Value& value) {
    if (number >= minimum && number <= maximum) return number;
    return std::unexpected(
        must_be("from " + std::to_string(minimum) + " to " + std::to_string(maximum), value));
}

/// Why a file cannot be read; empty: it can. Only a plain file is opened: a pipe would block.
std::string why_unreadable(const std::filesystem::path& path) {
    std::error_code problem;
    const auto type = std::filesystem::status(path, problem).type();
    if (type == std::filesystem::file_type::directory) return "that is a folder";
    if (type == std::filesystem::file_type::not_found) return "there is none";
    if (problem) return problem.message();
    if (type != std::filesystem::file_type::regular) return "that is no plain file";
    errno = 0;
    const std::ifstream in(path, std::ios::binary);
    return in ? "" : std::generic_category().message(errno);
}

}  // namespace

const std::string* as_text(const Value& value) {
    const auto* text = std::get_if<std::string>(&value);
    return text != nullptr && !text->empty() ? text : nullptr;
}

Read<std::chrono::milliseconds> read_duration(const Value& value, std::chrono::milliseconds minimum,
                                              std::chrono::milliseconds maximum) {
    const auto* text = as_text(value);
    const auto parsed = text != nullptr ? base::parse_duration(*text) : std::nullopt;
    if (!parsed) {
        return std::unexpected(must_be("a duration such as \"2s\" or \"500ms\"", value));
    }
    if (*parsed < minimum || *parsed > maximum) {
        return std::unexpected(must_be(
            "from " + base::format_duration(minimum) + " to " + base::format_duration(maximum),
            value));
    }
    return *parsed;
}

Read<int64_t> read_count(const Value& value, int64_t minimum, int64_t maximum) {
    const auto* number = std::get_if<int64_t>(&value);
    if (number == nullptr) return std::unexpected(must_be("a whole number", value));
    return in_range(*number, minimum, maximum, value);
}

Read<int64_t> read_bytes(const Value& value, int64_t minimum, int64_t maximum) {
    const auto number = parse_bytes(value);
    if (!number) {
        return std::unexpected(must_be("a number of bytes such as 32768 or \"32KiB\"", value));
    }
    return in_range(*number, minimum, maximum, value);
}

Read<bool> read_switch(const Value& value) {
    const auto* choice = std::get_if<bool>(&value);
    if (choice == nullptr) return std::unexpected(must_be("true or false", value));
    return *choice;
}

Read<std::string> read_file_name(const Value& value, std::string_view directory) {
    constexpr std::string_view kRight = "the name of a readable file";
    const auto* text = as_text(value);
    if (text == nullptr || text->contains('\0')) return std::unexpected(must_be(kRight, value));
    const std::filesystem::path path = std::filesystem::path(directory) / *text;
    const std::string why = why_unreadable(path);
    if (!why.empty()) {
        return std::unexpected(must_be(kRight, path.string()) + " (" + why + ")");
    }
    return path.string();
}

std::string must_be(std::string_view right, const Value& value) {
    return "must be " + std::string(right) + ", not " + shown(value);
}

std::string shown(const Value& value) {
    if (const auto* text = std::get_if<std::string>(&value)) {
        return "\"" + base::escape(std::string_view(*text).substr(0, 200)) + "\"";
    }
    if (const auto* number = std::get_if<int64_t>(&value)) return std::to_string(*number);
    return std::get<bool>(value) ? "true" : "false";
}

std::string in_ticks(std::string_view name) {
    return "`" + base::escape(name.substr(0, 100)) + "`";
}

std::string with_guess(std::string message, std::string_view guess) {
    if (!guess.empty()) message.append("; did you mean `").append(guess).append("`?");
    return message;
}

}  // namespace edgecase::config
