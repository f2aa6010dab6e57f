#include "cli/console.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#include "record/json_text.hpp"

namespace edgecase::cli {
namespace {

std::atomic<bool> lost_output = false;

/// Length of the sequence at the front of valid UTF-8 that must not reach a terminal; 0: none.
/// Those are C0, DEL, C1 (U+0080..9F), U+200E..F, U+2028..E and U+2066..9.
size_t commanding_bytes(std::string_view text) {
    const auto at = [&](size_t i) {
        return i < text.size() ? static_cast<uint8_t>(text[i]) : uint8_t{0};
    };
    if (at(0) < 0x20 || at(0) == 0x7f) return 1;
    if (at(0) == 0xc2 && at(1) < 0xa0) return 2;
    if (at(0) != 0xe2) return 0;
    const bool is_mark = at(1) == 0x80 && (at(2) == 0x8e || at(2) == 0x8f);
    const bool is_embedding = at(1) == 0x80 && at(2) >= 0xa8 && at(2) <= 0xae;
    const bool is_isolate = at(1) == 0x81 && at(2) >= 0xa6 && at(2) <= 0xa9;
    return is_mark || is_embedding || is_isolate ? 3 : 0;
}

}  // namespace

bool wants_colour() {
    const char* const no_colour = std::getenv("NO_COLOR");
    return (no_colour == nullptr || *no_colour == '\0') && isatty(STDOUT_FILENO) != 0;
}

size_t terminal_columns() {
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col != 0) return size.ws_col;
    return 80;
}

bool is_watched() {
    return isatty(STDERR_FILENO) != 0;
}

void print(std::string_view text) {
    const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
    if ((written && std::fflush(stdout) == 0) || lost_output.exchange(true)) return;
    complain("cannot write to standard output: " + std::generic_category().message(errno));
}

bool output_failed() {
    return lost_output;
}

void complain(std::string_view text) {
    note("edgecase: " + one_line(text) + "\n");
}

void note(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stderr);
}

std::string one_line(std::string_view text) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const std::string valid = record::json_text(text);
    std::string line;
    line.reserve(valid.size());
    for (size_t i = 0; i < valid.size();) {
        const size_t commanding = commanding_bytes(std::string_view(valid).substr(i));
        for (size_t j = 0; j < commanding; ++j) {
            const auto byte = static_cast<uint8_t>(valid[i + j]);
            line += "\\x";
            line += kDigits[byte >> 4];
            line += kDigits[byte & 0xf];
        }
        if (commanding == 0) line += valid[i];
        i += commanding == 0 ? 1 : commanding;
    }
    return line;
}

}  // namespace edgecase::cli
