#include "cli/tail_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "cause/table.hpp"
#include "cli/terminal_text.hpp"
#include "record/redact_uri.hpp"
#include "record/summary.hpp"

namespace edgecase::cli {
namespace {

constexpr size_t kWide = 120;         // from here on there is room for the date
constexpr size_t kCauseColumns = 24;  // most names are shorter
constexpr size_t kUriBytes = 300;     // of one in a line without end

Colour colour_of(const record::Record& record) {
    if (record.cause == cause::Cause::none) return Colour::green;
    return cause::row(record.cause).actor == cause::Actor::client ? Colour::yellow : Colour::red;
}

/// A line of parts, coloured, that ends where there is no room.
class Line {
  public:
    Line(size_t columns, bool colour) : columns_(columns), paint_(colour) {}

    void add(std::string text, std::optional<Colour> colour = std::nullopt) {
        if (text.empty() || full_) return;
        const size_t gap = used_ == 0 ? 0 : 1;
        if (columns_ != 0 && used_ + gap + text.size() > columns_) {
            full_ = true;
            const size_t room = columns_ - std::min(columns_, used_ + gap);
            if (room < 4) return;
            text = text.substr(0, room - 3) + "...";
        }
        if (gap != 0) text_ += ' ';
        used_ += gap + text.size();
        text_ += colour ? paint_(*colour, text) : text;
    }
    std::string text() {
        while (text_.ends_with(' ')) text_.pop_back();
        return text_ + "\n";
    }

  private:
    const size_t columns_;
    const Painter paint_;
    std::string text_;
    size_t used_ = 0;
    bool full_ = false;
};

}  // namespace

std::string tail_line(const record::Record& record, size_t columns, bool colour,
                      record::Secrets secrets) {
    const auto free = [&](std::string_view text) {
        return fitted(
            secrets == record::Secrets::shown ? std::string(text) : record::redact_uri(text),
            kUriBytes);
    };
    const std::string time = record::rfc3339(record.start);  // 2026-11-28T20:43:00.123Z
    Line line(columns, colour);
    line.add(columns != 0 && columns < kWide ? time.substr(11, 12) : time, Colour::dim);
    line.add(record.ray.to_string());
    line.add(std::to_string(record.edge_status) + (record.aborted ? " cut" : ""),
             colour_of(record));
    line.add(fmt::format("{:<{}}", cause::row(record.cause).name, kCauseColumns));
    line.add(printable(record.method));
    const std::string uri =
        secrets == record::Secrets::shown ? record.uri : record::redact_uri(record.uri);
    line.add(free(record.host) + fitted(uri.substr(0, uri.find('?')), kUriBytes));
    line.add(record.origin_url.empty() ? "-" : free(record.origin_url), Colour::cyan);
    line.add(printable(record::summary(record)), Colour::dim);
    return line.text();
}

}  // namespace edgecase::cli
