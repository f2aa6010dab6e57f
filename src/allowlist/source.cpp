#include "allowlist/source.hpp"

#include <algorithm>

#include "base/ascii.hpp"

namespace edgecase::allowlist {

std::string ReadError::to_string() const {
    std::string text = file;
    if (line > 0) text += ":" + std::to_string(line) + ":" + std::to_string(column);
    return text + ": " + what;
}

ReadError error_at(const Source& source, size_t offset, std::string what) {
    const std::string_view before = std::string_view(source.text).substr(0, offset);
    const size_t line = static_cast<size_t>(std::ranges::count(before, '\n')) + 1;
    const size_t start = before.rfind('\n');
    const size_t column = before.size() - (start == std::string_view::npos ? 0 : start + 1) + 1;
    return {source.name, line, column, std::move(what)};
}

std::string_view line_of(std::string_view text, size_t number) {
    while (number > 1) {
        const size_t end = text.find('\n');
        if (end == std::string_view::npos) return {};
        text.remove_prefix(end + 1);
        --number;
    }
    std::string_view line = text.substr(0, text.find('\n'));
    if (line.ends_with('\r')) line.remove_suffix(1);
    return base::trim(line);
}

}  // namespace edgecase::allowlist
