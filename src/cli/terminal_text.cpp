#include "cli/terminal_text.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/escape.hpp"

namespace edgecase::cli {

std::string printable(std::string_view bytes) {
    std::string text;
    text.reserve(bytes.size());
    for (const char c : bytes) {
        // A quote needs no escape here; a backslash does, or `\x1b` could be sent as such.
        if (c == '"') {
            text += c;
        } else {
            text += base::escape(std::string_view(&c, 1));
        }
    }
    return text;
}

std::string fitted(std::string_view bytes, size_t columns) {
    std::string text = printable(bytes.substr(0, columns + 1));
    if (text.size() <= columns && bytes.size() <= columns) return text;
    text.resize(std::min(text.size(), columns > 3 ? columns - 3 : 0));
    return text + "...";
}

std::string sparkline(const std::vector<uint64_t>& values) {
    static constexpr std::array<std::string_view, 9> kColumns{" ", "▁", "▂", "▃", "▄",
                                                              "▅", "▆", "▇", "█"};
    const uint64_t most = values.empty() ? 0 : std::ranges::max(values);
    std::string text;
    for (const uint64_t value : values) {
        // What is there is seen, however small beside the others.
        const auto height =
            value == 0 ? 0.0
                       : std::ceil(8 * static_cast<double>(value) / static_cast<double>(most));
        text += kColumns[static_cast<size_t>(height)];
    }
    return text;
}

std::string Painter::operator()(Colour colour, std::string_view text) const {
    if (!colour_ || text.empty()) return std::string(text);
    constexpr std::array<std::string_view, 6> kCodes{"1", "2", "31", "32", "33", "36"};
    return "\x1b[" + std::string(kCodes[static_cast<size_t>(colour)]) + "m" + std::string(text) +
           "\x1b[0m";
}

std::string Table::text(const Painter& paint, size_t indent) const {
    std::vector<size_t> widths;
    for (const std::string& name : header_) widths.push_back(name.size());
    for (const auto& row : rows_) {
        for (size_t i = 0; i < std::min(row.size(), widths.size()); ++i) {
            widths[i] = std::max(widths[i], row[i].text.size());
        }
    }
    const auto padding = [&](size_t column, size_t size) {
        return column + 1 == widths.size() ? std::string()
                                           : std::string(widths[column] - size + 2, ' ');
    };
    std::string result(indent, ' ');
    for (size_t i = 0; i < header_.size(); ++i) {
        result += paint(Colour::dim, header_[i]) + padding(i, header_[i].size());
    }
    result += '\n';
    for (const auto& row : rows_) {
        result += std::string(indent, ' ');
        for (size_t i = 0; i < std::min(row.size(), widths.size()); ++i) {
            const Cell& cell = row[i];
            result +=
                cell.colour < 0 ? cell.text : paint(static_cast<Colour>(cell.colour), cell.text);
            result += padding(i, cell.text.size());
        }
        result += '\n';
    }
    return result;
}

std::string wrapped(std::string_view text, size_t indent, size_t columns) {
    std::string result;
    size_t column = indent;
    while (!text.empty()) {
        const size_t end = std::min(text.find(' '), text.size());
        const std::string_view word = text.substr(0, end);
        if (column > indent && column + 1 + word.size() > columns) {
            result += "\n" + std::string(indent, ' ');
            column = indent;
        }
        if (column > indent) {
            result += ' ';
            ++column;
        }
        result += word;
        column += word.size();
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return result;
}

}  // namespace edgecase::cli
