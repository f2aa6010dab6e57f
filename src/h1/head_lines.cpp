#include "h1/head_lines.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ascii.hpp"
#include "h1/byte_class.hpp"
#include "h1/limits.hpp"
#include "h1/rule.hpp"
#include "http/field_name.hpp"
#include "http/message.hpp"

namespace edgecase::h1 {
namespace {

constexpr size_t kLargestFields = 5;

static_assert(static_cast<uint32_t>(http::FieldName::x_forwarded_proto) < 32,
              "known_seen_ has one bit for each name");

bool is_space(char c) {
    return c == ' ' || c == '\t';
}

struct Counted {
    std::string_view name;
    size_t count;
};

/// The five largest counts as `name: N unit`, in falling order; equal ones in order of appearance.
std::vector<std::string> five_largest(std::vector<Counted> fields, std::string_view unit) {
    std::ranges::sort(fields, [](const Counted& a, const Counted& b) {
        return a.count != b.count ? a.count > b.count : a.name.data() < b.name.data();
    });
    if (fields.size() > kLargestFields) fields.resize(kLargestFields);
    std::vector<std::string> result;
    result.reserve(fields.size());
    for (const Counted& field : fields) {
        result.push_back(std::string(field.name.substr(0, kMaxEvidenceNameBytes)) + ": " +
                         std::to_string(field.count) + std::string(unit));
    }
    return result;
}

bool iless(std::string_view a, std::string_view b) {
    return std::ranges::lexicographical_compare(a, b, {}, base::lower, base::lower);
}

/// Where the line that holds `offset` ends in `buffer`: its CRLF, LF, or the end of the buffer.
size_t line_end(std::string_view buffer, size_t offset) {
    const size_t lf = buffer.find('\n', offset);
    if (lf == std::string_view::npos) return buffer.size();
    return lf > offset && buffer[lf - 1] == '\r' ? lf - 1 : lf;
}

}  // namespace

void HeadLines::reset(const HeadLimits& limits) {
    limits_ = limits;
    lines_.clear();
    views_.clear();
    scan_offset_ = line_offset_ = line_limit_ = name_end_ = first_line_ = end_offset_ = 0;
    known_seen_ = 0;
    at_ = At::section_start;
    if (error_.rule != Rule::none) error_ = {};
}

Progress HeadLines::scan(std::string_view buffer, size_t first_line) {
    if (error_.rule != Rule::none) return Progress::failed;
    if (at_ == At::section_start) {
        first_line_ = line_offset_ = scan_offset_ = first_line;
        at_ = At::line_start;
    }
    if (buffer.size() < scan_offset_) return Progress::need_more;
    // Each step ends its part of a line and goes on to the next one (complete), or stops here.
    while (at_ != At::end) {
        const Progress progress = scan_line(buffer);
        if (progress != Progress::complete) return progress;
    }
    return Progress::complete;
}

Progress HeadLines::scan_line(std::string_view buffer) {
    switch (at_) {
        case At::line_start: {
            const Progress progress = start_line(buffer);
            if (progress != Progress::complete || at_ == At::end) return progress;
            [[fallthrough]];
        }
        case At::name: {
            const Progress progress = scan_name(buffer);
            if (progress != Progress::complete || at_ == At::after_name) return progress;
            [[fallthrough]];
        }
        case At::value:
            return scan_value(buffer);
        case At::after_name:
            return scan_after_name(buffer);
        case At::section_start:
        case At::end:
            break;
    }
    return Progress::complete;
}

Progress HeadLines::start_line(std::string_view buffer) {
    if (line_offset_ >= buffer.size()) return Progress::need_more;
    const char first = buffer[line_offset_];
    if (first == '\r') {
        if (line_offset_ + 1 == buffer.size()) return Progress::need_more;
        if (buffer[line_offset_ + 1] != '\n') return fail(Rule::bare_cr, buffer, line_offset_);
        end_offset_ = line_offset_ + 2;
        at_ = At::end;
        return Progress::complete;
    }
    if (first == '\n') return fail(Rule::bare_lf, buffer, line_offset_);
    if (is_space(first)) {
        const std::string_view folded =
            lines_.empty() ? std::string_view()
                           : buffer.substr(lines_.back().name_offset, lines_.back().name_size);
        return fail(Rule::obs_fold, buffer, line_offset_, folded);
    }
    // A line must leave room for its own CRLF in the section.
    const size_t section_room = section_end() - std::min<size_t>(limits_.section_bytes, 2);
    if (line_offset_ >= section_room) {
        line_limit_ = line_offset_;
        return fail_size(buffer, line_offset_);
    }
    if (lines_.size() >= limits_.field_count) return fail_count(buffer);
    if (first == ':') return fail(Rule::empty_name, buffer, line_offset_);
    line_limit_ = std::min(line_offset_ + limits_.line_bytes, section_room);
    name_end_ = 0;
    at_ = At::name;
    return Progress::complete;
}

Progress HeadLines::scan_name(std::string_view buffer) {
    const size_t stop = std::min(buffer.size(), line_limit_);
    const size_t at = skip_class(kTokenBytes, buffer, scan_offset_, stop);
    scan_offset_ = at;
    if (at == buffer.size()) return Progress::need_more;
    const char c = buffer[at];
    if (c == ':' && at < line_limit_) {
        name_end_ = at;
        scan_offset_ = at + 1;
        at_ = At::value;
        return Progress::complete;
    }
    if (c == '\n') return fail(Rule::bare_lf, buffer, at);
    if (c == '\r') {
        if (at + 1 == buffer.size()) return Progress::need_more;
        return fail(buffer[at + 1] == '\n' ? Rule::no_colon : Rule::bare_cr, buffer, at);
    }
    if (at == line_limit_) return fail_size(buffer, at);
    if (is_space(c)) {
        // What is wrong shows only later: `Name :`, `Two words:`, or a line without a colon.
        name_end_ = at;
        at_ = At::after_name;
        return Progress::complete;
    }
    return fail(Rule::bad_name_byte, buffer, at);
}

Progress HeadLines::scan_after_name(std::string_view buffer) {
    const size_t stop = std::min(buffer.size(), line_limit_);
    size_t at = scan_offset_;
    while (at < stop && buffer[at] != ':' && buffer[at] != '\r' && buffer[at] != '\n') ++at;
    scan_offset_ = at;
    if (at == buffer.size()) return Progress::need_more;
    const char c = buffer[at];
    if (c == '\n') return fail(Rule::bare_lf, buffer, at);
    if (c == '\r') {
        if (at + 1 == buffer.size()) return Progress::need_more;
        return fail(buffer[at + 1] == '\n' ? Rule::no_colon : Rule::bare_cr, buffer, at);
    }
    if (at == line_limit_) return fail_size(buffer, at);
    const std::string_view between = buffer.substr(name_end_, at - name_end_);
    const bool only_space = std::ranges::all_of(between, is_space);
    return fail(only_space ? Rule::space_before_colon : Rule::bad_name_byte, buffer, name_end_,
                buffer.substr(line_offset_, name_end_ - line_offset_));
}

Progress HeadLines::scan_value(std::string_view buffer) {
    const size_t stop = std::min(buffer.size(), line_limit_);
    size_t at = find_control(buffer, scan_offset_, stop);
    while (at < stop && buffer[at] == '\t') at = find_control(buffer, at + 1, stop);
    scan_offset_ = at;
    if (at == buffer.size()) return Progress::need_more;
    const std::string_view name = name_in_progress(buffer);
    const char c = buffer[at];
    if (c == '\r') {
        if (at + 1 == buffer.size()) return Progress::need_more;
        if (buffer[at + 1] != '\n') return fail(Rule::bare_cr, buffer, at, name);
        end_line(buffer, at);
        return Progress::complete;
    }
    if (c == '\n') return fail(Rule::bare_lf, buffer, at, name);
    if (at == line_limit_) return fail_size(buffer, at);
    return fail(c == '\0' ? Rule::nul_in_value : Rule::control_in_value, buffer, at, name);
}

void HeadLines::end_line(std::string_view buffer, size_t line_end) {
    const char* const data = buffer.data();
    size_t begin = name_end_ + 1;
    size_t end = line_end;
    while (begin < end && is_space(data[begin])) ++begin;
    while (end > begin && is_space(data[end - 1])) --end;
    const std::string_view name = name_in_progress(buffer);
    const http::FieldName known = http::classify(name);
    known_seen_ |= 1U << static_cast<uint32_t>(known);
    lines_.push_back({static_cast<uint32_t>(line_offset_), static_cast<uint32_t>(name.size()),
                      static_cast<uint32_t>(begin), static_cast<uint32_t>(end - begin), known});
    line_offset_ = scan_offset_ = line_end + 2;
    at_ = At::line_start;
}

std::span<const http::FieldView> HeadLines::views(std::string_view buffer) {
    views_.resize(lines_.size());
    const char* const data = buffer.data();
    for (size_t i = 0; i < lines_.size(); ++i) {
        const Line& line = lines_[i];
        views_[i] = {std::string_view(data + line.name_offset, line.name_size),
                     std::string_view(data + line.value_offset, line.value_size), line.known};
    }
    return views_;
}

size_t HeadLines::section_bytes() const {
    if (at_ == At::section_start) return 0;
    return std::max(scan_offset_, line_offset_) - first_line_;
}

std::vector<std::string> HeadLines::largest_fields(std::string_view buffer) const {
    std::vector<Counted> sizes;
    sizes.reserve(lines_.size() + 1);
    for (const Line& line : lines_) {
        sizes.push_back({buffer.substr(line.name_offset, line.name_size),
                         line_end(buffer, line.value_offset) - line.name_offset});
    }
    const bool in_line = at_ != At::section_start && at_ != At::end;
    if (in_line && line_offset_ < buffer.size()) {
        const size_t size = line_end(buffer, line_offset_) - line_offset_;
        if (size > 0) sizes.push_back({name_in_progress(buffer), size});
    }
    return five_largest(std::move(sizes), " bytes");
}

std::string_view HeadLines::name_in_progress(std::string_view buffer) const {
    if (name_end_ != 0) return buffer.substr(line_offset_, name_end_ - line_offset_);
    const std::string_view rest = buffer.substr(line_offset_);
    return rest.substr(0, skip_class(kTokenBytes, rest, 0, rest.size()));
}

Progress HeadLines::fail(Rule rule, std::string_view buffer, size_t offset,
                         std::string_view field) {
    error_ = breach(rule, buffer, offset, line_offset_, field);
    return Progress::failed;
}

Progress HeadLines::fail_size(std::string_view buffer, size_t offset) {
    // The first limit that is passed names the fault; a line that passes both at once is the fault.
    const bool line = line_limit_ - line_offset_ == limits_.line_bytes;
    fail(line ? Rule::line_too_large : Rule::section_too_large, buffer, offset,
         name_in_progress(buffer));
    if (line) {
        error_.limit = limits_.line_bytes;
        error_.seen = line_end(buffer, line_offset_) - line_offset_;
    } else {
        const size_t blank = buffer.find("\r\n\r\n", line_offset_);
        const size_t end = blank == std::string_view::npos ? buffer.size() : blank + 2;
        error_.limit = limits_.section_bytes;
        error_.seen = end - first_line_;
    }
    error_.largest_fields = largest_fields(buffer);
    return Progress::failed;
}

Progress HeadLines::fail_count(std::string_view buffer) {
    fail(Rule::too_many_fields, buffer, line_offset_);
    error_.limit = limits_.field_count;
    error_.seen = lines_.size();
    for (size_t at = line_offset_; at < buffer.size();) {
        const size_t end = line_end(buffer, at);
        if (end == at) break;
        ++error_.seen;
        const size_t lf = buffer.find('\n', end);
        at = lf == std::string_view::npos ? buffer.size() : lf + 1;
    }
    std::vector<std::string_view> names;
    names.reserve(lines_.size());
    for (const Line& line : lines_) {
        names.push_back(buffer.substr(line.name_offset, line.name_size));
    }
    std::ranges::sort(names, [](std::string_view a, std::string_view b) {
        return base::iequals(a, b) ? a.data() < b.data() : iless(a, b);
    });
    std::vector<Counted> counts;
    for (const std::string_view name : names) {
        if (counts.empty() || !base::iequals(counts.back().name, name)) counts.push_back({name, 0});
        ++counts.back().count;
    }
    error_.largest_fields = five_largest(std::move(counts), " times");
    return Progress::failed;
}

}  // namespace edgecase::h1
