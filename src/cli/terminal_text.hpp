// Owns text for a terminal: what the network sent made harmless, colours, columns, wrapped lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace edgecase::cli {

/// `bytes` with everything outside printable ASCII written as `\n`, `\xNN`..., so that neither
/// escape sequences nor direction overrides reach the terminal.
std::string printable(std::string_view bytes);

/// printable(), cut to `columns` with `...` at the end.
std::string fitted(std::string_view bytes, size_t columns);

/// A column for each value, the highest as tall as a line.
std::string sparkline(const std::vector<uint64_t>& values);

enum class Colour : unsigned char { bold, dim, red, green, yellow, cyan };

/// Paints, or leaves alone when the output is no terminal.
class Painter {
  public:
    explicit Painter(bool colour) : colour_(colour) {}
    std::string operator()(Colour colour, std::string_view text) const;

  private:
    bool colour_;
};

/// Columns as wide as their widest cell. Colour a cell by giving its plain text and a colour.
class Table {
  public:
    struct Cell {
        std::string text;
        int colour = -1;                                     // of enum Colour; -1: none
        Cell(std::string plain) : text(std::move(plain)) {}  // NOLINT: cells are mostly plain text
        Cell(const char* plain) : text(plain) {}             // NOLINT
        Cell(std::string plain, Colour colour_of_text)
            : text(std::move(plain)), colour(static_cast<int>(colour_of_text)) {}
    };
    explicit Table(std::vector<std::string> header) : header_(std::move(header)) {}
    void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
    /// Every line begins with `indent` spaces; the last column is not padded.
    std::string text(const Painter& paint, size_t indent) const;

  private:
    std::vector<std::string> header_;
    std::vector<std::vector<Cell>> rows_;
};

/// Words wrapped at `columns`; every line but the first begins with `indent` spaces.
std::string wrapped(std::string_view text, size_t indent, size_t columns = 100);

}  // namespace edgecase::cli
