// Owns the texts that were read, and how a place in one of them is named.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace edgecase::allowlist {

constexpr size_t kMaxSourceBytes = size_t{256} << 20;  // a rule set of millions of rules

struct Source {
    std::string name;  // of the file, or the command whose output it is
    std::string text;
    std::string path = {};  // absolute, of a file on this machine; empty: it is none
};

/// Line 0: the file as a whole. A handle is the kernel's number of a rule, 0: none.
struct Place {
    uint32_t file = 0;
    uint32_t line = 0;
    uint64_t handle = 0;
};

struct ReadError {
    std::string file;
    size_t line = 0;  // 0: not at one place
    size_t column = 0;
    std::string what;

    /// `FILE:LINE:COLUMN: WHAT`
    std::string to_string() const;
};

/// The line and column of a byte, both from 1.
ReadError error_at(const Source& source, size_t offset, std::string what);

/// Line `number` (from 1) without surrounding blanks; empty when there is none.
std::string_view line_of(std::string_view text, size_t number);

/// Lines with their number, each without its end and a carriage return before that.
template <typename Visit>
void for_each_line(std::string_view text, Visit visit) {
    for (uint32_t number = 1; !text.empty(); ++number) {
        const size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        if (line.ends_with('\r')) line.remove_suffix(1);
        visit(number, line);
        if (end == std::string_view::npos) return;
        text.remove_prefix(end + 1);
    }
}

}  // namespace edgecase::allowlist
