#include <array>

#include "base/ascii.hpp"
#include "logs/template_format.hpp"

namespace edgecase::logs {
namespace {

constexpr size_t kRayDigits = 16;

constexpr std::array<int8_t, 256> kHexValues = [] {
    std::array<int8_t, 256> values{};
    values.fill(-1);
    for (int i = 0; i < 10; ++i) values[static_cast<size_t>('0' + i)] = static_cast<int8_t>(i);
    for (int i = 0; i < 6; ++i) {
        values[static_cast<size_t>('a' + i)] = static_cast<int8_t>(10 + i);
        values[static_cast<size_t>('A' + i)] = static_cast<int8_t>(10 + i);
    }
    return values;
}();

bool is_letter(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool is_apart(char c) {
    return c == ' ' || c == '"' || c == '=' || c == ',' || c == '|' || c == '{' || c == '}' ||
           c == '[' || c == ']' || c == ';' || c == ':' || c == '\t' || c == '\'';
}

}  // namespace

uint64_t ray_of(std::string_view text) {
    if (text.size() < kRayDigits) return 0;
    uint64_t value = 0;
    for (size_t i = 0; i < kRayDigits; ++i) {
        const int8_t digit = kHexValues[static_cast<uint8_t>(text[i])];
        if (digit < 0) return 0;
        value = value << 4 | static_cast<uint64_t>(digit);
    }
    const std::string_view colo = text.substr(kRayDigits);
    if (colo.empty()) return value;
    const bool fits = colo.size() == 4 && colo[0] == '-' && is_letter(colo[1]) &&
                      is_letter(colo[2]) && is_letter(colo[3]);
    return fits ? value : 0;
}

uint64_t ray_in(std::string_view text) {
    size_t begin = 0;
    for (size_t i = 0; i <= text.size(); ++i) {
        if (i < text.size() && !is_apart(text[i])) continue;
        const size_t length = i - begin;
        if (length == kRayDigits || length == kRayDigits + 4) {
            const std::string_view word = text.substr(begin, length);
            // A number of sixteen digits is more likely a number.
            const bool only_digits =
                length == kRayDigits && word.find_first_not_of("0123456789") == word.npos;
            const uint64_t ray = only_digits ? 0 : ray_of(word);
            if (ray != 0) return ray;
        }
        begin = i + 1;
    }
    return 0;
}

int64_t number_of(std::string_view text) {
    if (text.empty() || text.size() > 18) return -1;
    int64_t value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return -1;
        value = value * 10 + (c - '0');
    }
    return value;
}

int64_t millionths_of(std::string_view text) {
    const size_t point = text.find('.');
    const int64_t whole = number_of(text.substr(0, point));
    if (whole < 0 || whole > INT64_MAX / 2'000'000) return -1;
    int64_t value = whole * 1'000'000;
    if (point == std::string_view::npos) return value;
    int64_t unit = 100'000;
    for (const char c : text.substr(point + 1)) {
        if (c < '0' || c > '9') return -1;
        value += unit * (c - '0');
        unit /= 10;
    }
    return value;
}

void split_request(std::string_view text, EntryView& into) {
    const size_t first = text.find(' ');
    if (first == std::string_view::npos || first == 0) return;
    for (const char c : text.substr(0, first)) {
        if (!is_letter(c) && c != '-' && c != '_') return;  // no method, so no request line
    }
    into.method = text.substr(0, first);
    std::string_view rest = text.substr(first + 1);
    const size_t last = rest.rfind(' ');
    if (last != std::string_view::npos && rest.substr(last + 1).starts_with("HTTP/")) {
        rest = rest.substr(0, last);
    }
    into.uri = rest;
}

std::string_view first_address(std::string_view list) {
    const std::string_view first = base::trim(list.substr(0, list.find(',')));
    return first == "-" ? std::string_view() : first;
}

}  // namespace edgecase::logs
