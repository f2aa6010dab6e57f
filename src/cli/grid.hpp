// Owns tables that fit a given width: numbers to the right, one column gives way.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cli/terminal_text.hpp"

namespace edgecase::cli {

struct GridColumn {
    enum class Kind : unsigned char {
        text,    // to the left
        number,  // to the right
        giving,  // to the left, and cut or stretched so that the line fits; one at most
        shape,   // what is no ASCII, such as a sparkline: the last one, written as it is
    };
    std::string name;
    Kind kind = Kind::text;
};

class Grid {
  public:
    using Cell = Table::Cell;
    /// The giving column keeps at least so many columns, whatever the width.
    static constexpr size_t kLeastGiving = 12;

    explicit Grid(std::vector<GridColumn> columns) : columns_(std::move(columns)) {}
    /// Cells are printable ASCII but for those of `shape`.
    void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
    size_t rows() const { return rows_.size(); }

    /// What is left of `width` for a last column of `shape`.
    size_t shape_columns(size_t width) const;
    /// A heading and the rows; `stretched`: the giving column takes what is left of the width.
    std::string text(const Painter& paint, size_t width, bool stretched = false) const;

  private:
    std::vector<size_t> natural_widths() const;
    std::vector<size_t> widths(size_t width, bool stretched) const;

    std::vector<GridColumn> columns_;
    std::vector<std::vector<Cell>> rows_;
};

}  // namespace edgecase::cli
