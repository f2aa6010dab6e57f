#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/ascii.hpp"
#include "logs/logpush_fields.hpp"
#include "logs/logpush_readers.hpp"

namespace edgecase::logs {
namespace {

// Logpush has about 130 fields; custom ones come on top.
constexpr size_t kMaximumColumns = 1024;

/// The cells of one line, one after the other.
class Cells {
  public:
    /// `unquoted` receives what had doubled quotes; it must have room for the line, so that views
    /// into it stay.
    Cells(std::string_view line, std::string& unquoted) : rest_(line), unquoted_(unquoted) {}

    bool at_end() const { return at_end_; }

    /// Errors: nullopt for a quote that does not end, or has something behind it.
    std::optional<std::string_view> next() {
        if (!rest_.empty() && rest_.front() == '"') return quoted();
        const size_t comma = rest_.find(',');
        const std::string_view cell = rest_.substr(0, comma);
        step_over(comma);
        return cell;
    }

  private:
    std::optional<std::string_view> quoted() {
        size_t end = 1;
        bool doubled = false;
        for (;; end += 2) {
            end = rest_.find('"', end);
            if (end == std::string_view::npos) return std::nullopt;
            if (end + 1 == rest_.size() || rest_[end + 1] != '"') break;
            doubled = true;
        }
        const std::string_view inside = rest_.substr(1, end - 1);
        if (end + 1 < rest_.size() && rest_[end + 1] != ',') return std::nullopt;
        step_over(end + 1 < rest_.size() ? end + 1 : std::string_view::npos);
        return doubled ? with_single_quotes(inside) : inside;
    }

    std::string_view with_single_quotes(std::string_view inside) {
        const size_t begin = unquoted_.size();
        for (size_t at = 0; at < inside.size(); ++at) {
            unquoted_.push_back(inside[at]);
            if (inside[at] == '"') ++at;
        }
        return std::string_view(unquoted_).substr(begin);
    }

    void step_over(size_t comma) {
        at_end_ = comma == std::string_view::npos;
        if (!at_end_) rest_.remove_prefix(comma + 1);
    }

    std::string_view rest_;
    std::string& unquoted_;
    bool at_end_ = false;
};

/// Clients can write the names of fields into their requests; but a row has numbers too.
bool is_name(std::string_view cell) {
    const auto is_letter = [](char c) { return base::lower(c) >= 'a' && base::lower(c) <= 'z'; };
    return !cell.empty() && is_letter(cell.front()) && std::ranges::all_of(cell, [&](char c) {
        return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
    });
}

class LogpushCsvReader final : public EdgeReader {
  public:
    std::string_view format() const override { return "Logpush CSV"; }
    Parsed read(std::string_view line, EdgeEntryView& into) override;

  private:
    bool read_heading(std::string_view line);
    bool read_row(std::string_view line, EdgeEntryView& into, bool& names_a_field);

    std::string heading_;
    std::vector<LogpushField> columns_;
    std::string unquoted_;
};

Parsed LogpushCsvReader::read(std::string_view line, EdgeEntryView& into) {
    into = {};
    line = without_byte_order_mark(line);
    if (line.empty()) return Parsed::nothing;
    unquoted_.clear();
    // For the line as a row and as a heading.
    if (line.find('"') != std::string_view::npos) unquoted_.reserve(line.size() * 2);
    if (!columns_.empty()) {
        if (line == heading_) return Parsed::nothing;
        bool names_a_field = false;
        const bool is_row = read_row(line, into, names_a_field);
        if (is_row && !names_a_field) return Parsed::entry;
        if (read_heading(line)) return Parsed::nothing;
        if (is_row) return Parsed::entry;
        into = {};
        return Parsed::failed;
    }
    return read_heading(line) ? Parsed::nothing : Parsed::failed;
}

/// Files with different columns may be joined, so a heading counts wherever it stands.
bool LogpushCsvReader::read_heading(std::string_view line) {
    Cells cells(line, unquoted_);
    std::vector<LogpushField> columns;
    LogpushNames names;
    while (!cells.at_end()) {
        const auto cell = cells.next();
        if (!cell || !is_name(*cell) || columns.size() == kMaximumColumns) return false;
        columns.push_back(logpush_field(*cell));
        names.add(columns.back());
    }
    if (!names.are_logpush()) return false;
    heading_ = line;
    columns_ = std::move(columns);
    return true;
}

bool LogpushCsvReader::read_row(std::string_view line, EdgeEntryView& into, bool& names_a_field) {
    Cells cells(line, unquoted_);
    bool says_anything = false;
    for (const LogpushField field : columns_) {
        if (cells.at_end()) return false;
        const auto cell = cells.next();
        if (!cell) return false;
        names_a_field |= logpush_field(*cell) != LogpushField::unknown;
        set_logpush_field(into, field, *cell);
        says_anything |= field != LogpushField::unknown && !cell->empty();
    }
    return cells.at_end() && says_anything;
}

}  // namespace

std::unique_ptr<EdgeReader> make_logpush_csv_reader() {
    return std::make_unique<LogpushCsvReader>();
}

}  // namespace edgecase::logs
