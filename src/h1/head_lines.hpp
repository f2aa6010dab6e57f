// Owns the field lines of one head: finds, checks and stores them as the bytes arrive.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "h1/limits.hpp"
#include "h1/rule.hpp"
#include "http/message.hpp"

namespace edgecase::h1 {

/// How far a head is: needs bytes, is whole, or is broken.
enum class Progress : uint8_t { need_more, complete, failed };

/// Field lines up to and with the blank line. `buffer` is always the whole message so far, from its
/// first byte; it may have moved since the last call, so only offsets are kept between calls.
class HeadLines {
  public:
    void reset(const HeadLimits& limits);

    /// Scans on from where the last call stopped; field lines begin at `first_line` (offset).
    Progress scan(std::string_view buffer, size_t first_line);

    /// Builds the views; valid until `buffer` moves or changes.
    std::span<const http::FieldView> views(std::string_view buffer);

    size_t end_offset() const { return end_offset_; }  // one past the blank line
    const ParseError& error() const { return error_; }
    ParseError& error() { return error_; }
    /// Bytes of the field section seen so far.
    size_t section_bytes() const;
    size_t field_count() const { return lines_.size(); }
    /// Whether a field of that name was seen; cheaper than a search.
    bool has(http::FieldName name) const {
        return (known_seen_ >> static_cast<uint32_t>(name) & 1U) != 0;
    }
    /// The five largest field lines so far, as `name: N bytes`.
    std::vector<std::string> largest_fields(std::string_view buffer) const;

  private:
    struct Line {
        uint32_t name_offset;
        uint32_t name_size;
        uint32_t value_offset;
        uint32_t value_size;
        http::FieldName known;
    };
    /// What the byte at scan_offset_ belongs to.
    enum class At : uint8_t { section_start, line_start, name, after_name, value, end };

    Progress scan_line(std::string_view buffer);
    Progress start_line(std::string_view buffer);
    Progress scan_name(std::string_view buffer);
    Progress scan_after_name(std::string_view buffer);
    Progress scan_value(std::string_view buffer);
    void end_line(std::string_view buffer, size_t line_end);
    size_t section_end() const { return first_line_ + limits_.section_bytes; }
    std::string_view name_in_progress(std::string_view buffer) const;
    Progress fail(Rule rule, std::string_view buffer, size_t offset, std::string_view field = {});
    Progress fail_size(std::string_view buffer, size_t offset);
    Progress fail_count(std::string_view buffer);

    HeadLimits limits_;
    std::vector<Line> lines_;
    std::vector<http::FieldView> views_;
    size_t scan_offset_ = 0;
    size_t line_offset_ = 0;  // of the line in progress
    size_t line_limit_ = 0;   // where the line in progress has to end, by whichever limit is nearer
    size_t name_end_ = 0;     // of the line in progress, once it is known
    size_t first_line_ = 0;
    size_t end_offset_ = 0;
    uint32_t known_seen_ = 0;  // one bit for each http::FieldName
    At at_ = At::section_start;
    ParseError error_;
};

}  // namespace edgecase::h1
