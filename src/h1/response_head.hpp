// Owns the parsing of response heads.
#pragma once

#include <string_view>

#include "h1/head_lines.hpp"
#include "http/message.hpp"

namespace edgecase::h1 {

/// What of the request decides how the response is framed.
struct ResponseContext {
    bool to_head = false;     // the request's method was HEAD
    bool to_connect = false;  // it was CONNECT
};

/// Resumable: call parse() with all bytes of the message so far each time more arrive. Not-HTTP
/// bytes are found as soon as the first byte differs from `HTTP/`.
class ResponseHeadParser {
  public:
    /// How far the message had come; tells truncation in the status line from one in the fields.
    enum class Position : uint8_t { nothing, status_line, fields };

    void reset(const HeadLimits& limits, ResponseContext context);
    Progress parse(std::string_view buffer);
    /// parse() when no more bytes will come (FIN, timeout): need_more then means truncated, and
    /// bytes that cannot be the beginning of `HTTP/` are not_http even if too few to be sure of the
    /// kind.
    Progress finish(std::string_view buffer);

    /// After complete: views into `buffer` of the last parse() call; framing is settled.
    const http::ResponseHeadView& head() const { return head_; }
    size_t head_bytes() const { return lines_.end_offset(); }
    /// After failed. Errors: every Rule but the method, target, host and chunk ones.
    const ParseError& error() const { return lines_.error(); }
    const HeadLines& lines() const { return lines_; }
    Position position() const;
    /// The status once its line is parsed, else 0; known even if a field line failed.
    uint16_t status() const { return head_.status; }

  private:
    Progress parse_status_line(std::string_view buffer);
    Progress parse_version(std::string_view buffer);
    Progress parse_status(std::string_view buffer);
    Progress scan_reason(std::string_view buffer);
    Progress settle(std::string_view buffer);
    Progress fail(Rule rule, std::string_view buffer, size_t offset, std::string_view value = {});

    HeadLimits limits_;
    ResponseContext context_;
    HeadLines lines_;  // holds the error too, whichever part it is in
    http::ResponseHeadView head_;
    size_t seen_ = 0;
    size_t line_end_ = 0;  // offset of the first field line; 0: status line not parsed yet
    size_t scan_offset_ = 0;
    uint32_t reason_offset_ = 0;  // 0: version and status not parsed yet
    uint32_t reason_size_ = 0;
};

}  // namespace edgecase::h1
