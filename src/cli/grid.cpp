#include "cli/grid.hpp"

#include <algorithm>
#include <numeric>

namespace edgecase::cli {
namespace {

constexpr size_t kGap = 2;  // between columns

std::string cut(const std::string& text, size_t width) {
    if (text.size() <= width) return text;
    return width > 3 ? text.substr(0, width - 3) + "..." : text.substr(0, width);
}

}  // namespace

std::vector<size_t> Grid::natural_widths() const {
    std::vector<size_t> widths;
    for (const GridColumn& column : columns_) widths.push_back(column.name.size());
    for (const auto& row : rows_) {
        for (size_t i = 0; i < std::min(row.size(), widths.size()); ++i) {
            if (columns_[i].kind == GridColumn::Kind::shape) continue;
            widths[i] = std::max(widths[i], row[i].text.size());
        }
    }
    return widths;
}

std::vector<size_t> Grid::widths(size_t width, bool stretched) const {
    std::vector<size_t> widths = natural_widths();
    const size_t all = std::accumulate(widths.begin(), widths.end(), kGap * (widths.size() - 1));
    for (size_t i = 0; i < widths.size(); ++i) {
        if (columns_[i].kind != GridColumn::Kind::giving) continue;
        if (all > width) {
            const size_t over = all - width;
            widths[i] =
                std::max(std::min(widths[i], kLeastGiving), widths[i] - std::min(widths[i], over));
        } else if (stretched) {
            widths[i] += width - all;
        }
    }
    return widths;
}

size_t Grid::shape_columns(size_t width) const {
    const std::vector<size_t> widths = natural_widths();
    const size_t others =
        std::accumulate(widths.begin(), widths.end() - 1, kGap * (widths.size() - 1));
    return others < width ? width - others : 0;
}

std::string Grid::text(const Painter& paint, size_t width, bool stretched) const {
    const std::vector<size_t> room = widths(width, stretched);
    const auto add = [&](std::string& line, size_t i, const std::string& plain,
                         const std::string& painted, size_t columns) {
        const std::string padding(room[i] - std::min(room[i], columns), ' ');
        const bool last = i + 1 == columns_.size();
        if (columns_[i].kind == GridColumn::Kind::number) line += padding;
        line += plain.empty() ? plain : painted;
        if (last) return;
        if (columns_[i].kind != GridColumn::Kind::number) line += padding;
        line += std::string(kGap, ' ');
    };
    std::string result;
    for (size_t i = 0; i < columns_.size(); ++i) {
        const std::string name = cut(columns_[i].name, room[i]);
        add(result, i, name, paint(Colour::dim, name), name.size());
    }
    result += '\n';
    for (const auto& row : rows_) {
        std::string line;
        for (size_t i = 0; i < std::min(row.size(), columns_.size()); ++i) {
            const bool shape = columns_[i].kind == GridColumn::Kind::shape;
            const std::string plain = shape ? row[i].text : cut(row[i].text, room[i]);
            const std::string painted =
                row[i].colour < 0 ? plain : paint(static_cast<Colour>(row[i].colour), plain);
            add(line, i, plain, painted, shape ? room[i] : plain.size());
        }
        // Padding before cells that are empty is of no use to anybody.
        while (line.ends_with(' ')) line.pop_back();
        result += line + '\n';
    }
    return result;
}

}  // namespace edgecase::cli
