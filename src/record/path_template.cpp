#include "record/path_template.hpp"

#include <algorithm>

namespace edgecase::record {
namespace {

constexpr size_t kSegments = 7;
constexpr size_t kLongSegment = 24;  // a name is seldom longer, a token seldom shorter
constexpr size_t kIdDigits = 4;      // hex digits with a digit among them: an id

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

std::string_view kind_of(std::string_view segment) {
    if (segment.empty()) return segment;
    if (std::ranges::all_of(segment, is_digit)) return "{n}";
    const auto is_hex = [](char c) {
        return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '-';
    };
    if (segment.size() >= kIdDigits && std::ranges::all_of(segment, is_hex) &&
        std::ranges::any_of(segment, is_digit)) {
        return "{id}";
    }
    if (segment.size() > kLongSegment) return "{long}";
    return segment;
}

}  // namespace

void path_template(std::string_view uri, std::string& out) {
    uri = uri.substr(0, uri.find_first_of("?#"));
    out.clear();
    for (size_t i = 0; !uri.empty(); ++i) {
        if (i == kSegments) {
            out += "/...";
            return;
        }
        const bool slash = uri.front() == '/';
        const size_t end = std::min(uri.find('/', slash ? 1 : 0), uri.size());
        if (slash) out += '/';
        out += kind_of(uri.substr(slash ? 1 : 0, end - (slash ? 1 : 0)));
        uri.remove_prefix(end);
    }
}

std::string path_template(std::string_view uri) {
    std::string out;
    path_template(uri, out);
    return out;
}

}  // namespace edgecase::record
