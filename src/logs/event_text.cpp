#include "logs/event_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>

#include "base/hex.hpp"

namespace edgecase::logs {
namespace {

constexpr std::string_view kGap = " ... ";
constexpr size_t kMaximumTextBytes = 64 * 1024;  // no message says more at its far end
constexpr size_t kRayDigits = 16;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_hex_digit(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f');
}

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_name_byte(char c) {
    return is_digit(c) || is_letter(c) || c == '_' || c == '-';
}

bool may_stand_before_ray(char c) {
    return std::string_view(" \t\"'=:,[(").find(c) != std::string_view::npos;
}

/// Whether `-COLO` stands at the beginning.
bool has_colo(std::string_view text) {
    if (text.size() < 4 || text[0] != '-') return false;
    if (!std::ranges::all_of(text.substr(1, 3), [](char c) { return c >= 'A' && c <= 'Z'; })) {
        return false;
    }
    return text.size() == 4 || !is_name_byte(text[4]);
}

}  // namespace

bool holds(std::string_view text, std::string_view words) {
    while (!words.empty()) {
        const size_t gap = words.find(kGap);
        const std::string_view side = words.substr(0, gap);
        const size_t at = text.find(side);
        if (at == std::string_view::npos) return false;
        text.remove_prefix(at + side.size());
        words.remove_prefix(gap == std::string_view::npos ? words.size() : gap + kGap.size());
    }
    return true;
}

EventKind kind_of(std::string_view text, std::span<const Phrase> phrases) {
    text = text.substr(0, kMaximumTextBytes);
    const auto found = std::ranges::find_if(
        phrases, [&](const Phrase& phrase) { return holds(text, phrase.words); });
    return found == phrases.end() ? EventKind::other : found->kind;
}

std::optional<std::string_view> behind(std::string_view text, std::string_view words) {
    const size_t at = text.find(words);
    if (at == std::string_view::npos) return std::nullopt;
    return text.substr(at + words.size());
}

std::string_view up_to(std::string_view text, std::string_view end) {
    return text.substr(0, text.find(end));
}

std::optional<int64_t> leading_number(std::string_view text) {
    int64_t number = 0;
    if (text.empty() || !is_digit(text[0])) return std::nullopt;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
    if (result.ec != std::errc{}) return std::nullopt;
    return number;
}

std::optional<int64_t> number_behind(std::string_view text, std::string_view words) {
    const auto rest = behind(text, words);
    return rest ? leading_number(*rest) : std::nullopt;
}

std::optional<std::string_view> take_bracketed(std::string_view& rest) {
    if (rest.empty() || rest[0] != '[') return std::nullopt;
    const size_t end = rest.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view inside = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
    while (!rest.empty() && rest[0] == ' ') rest.remove_prefix(1);
    return inside;
}

int signal_number(std::string_view name) {
    // By number, from 1. Source: signal(7), x86 and ARM.
    constexpr std::array<std::string_view, 31> kNames = {
        "HUP",  "INT",  "QUIT", "ILL",    "TRAP",   "ABRT",  "BUS",  "FPE",  "KILL", "USR1", "SEGV",
        "USR2", "PIPE", "ALRM", "TERM",   "STKFLT", "CHLD",  "CONT", "STOP", "TSTP", "TTIN", "TTOU",
        "URG",  "XCPU", "XFSZ", "VTALRM", "PROF",   "WINCH", "IO",   "PWR",  "SYS"};
    constexpr int64_t kLargest = 64;
    if (const auto number = leading_number(name)) {
        return *number <= kLargest ? static_cast<int>(*number) : 0;
    }
    if (name.starts_with("SIG")) name.remove_prefix(3);
    const auto found = std::ranges::find(kNames, name);
    return found == kNames.end() ? 0 : static_cast<int>(found - kNames.begin()) + 1;
}

void set_request(EventView& into, std::string_view request_line) {
    const size_t space = request_line.find(' ');
    if (space == std::string_view::npos || space == 0) return;
    into.method = request_line.substr(0, space);
    std::string_view uri = request_line.substr(space + 1);
    const size_t last = uri.rfind(' ');
    if (last != std::string_view::npos && uri.substr(last + 1).starts_with("HTTP/")) {
        uri = uri.substr(0, last);
    }
    into.uri = uri;
}

uint64_t find_ray(std::string_view text) {
    uint64_t alone = 0;
    size_t at = 0;
    while (text.size() - at >= kRayDigits) {
        // A byte that is no digit rules out every beginning up to it.
        size_t digits = kRayDigits;
        while (digits > 0 && is_hex_digit(text[at + digits - 1])) --digits;
        if (digits > 0) {
            at += digits;
            continue;
        }
        const size_t begin = at;
        const std::string_view rest = text.substr(begin + kRayDigits);
        at += kRayDigits;
        while (at < text.size() && is_hex_digit(text[at])) ++at;
        if (begin > 0 && !may_stand_before_ray(text[begin - 1])) continue;
        const std::string_view token = text.substr(begin, kRayDigits);
        const uint64_t ray = base::parse_hex16(token).value_or(0);
        if (has_colo(rest) && ray != 0) return ray;
        if (!rest.empty() && is_name_byte(rest[0])) continue;
        if (alone == 0 && std::ranges::any_of(token, is_letter)) alone = ray;
    }
    return alone;
}

int64_t resolution_of(std::string_view time) {
    int64_t resolution = 1'000'000;
    const size_t point = time.find_first_of(".,");
    if (point == std::string_view::npos) return resolution;
    for (size_t at = point + 1; at < time.size() && is_digit(time[at]); ++at) resolution /= 10;
    return std::max<int64_t>(resolution, 1);
}

}  // namespace edgecase::logs
