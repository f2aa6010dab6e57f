// Owns the parsing of request heads.
#pragma once

#include <string_view>

#include "h1/head_lines.hpp"
#include "http/message.hpp"

namespace edgecase::h1 {

/// Resumable: call parse() with all bytes of the message so far each time more arrive.
/// An empty line (CRLF) before the request line is skipped, once (RFC 9112 §2.2).
class RequestHeadParser {
  public:
    void reset(const HeadLimits& limits);
    Progress parse(std::string_view buffer);
    /// parse() when no more bytes will come (FIN, timeout): need_more then means truncated, and
    /// bytes that no request begins with are not_http even if there are too few to be sure of the
    /// kind.
    Progress finish(std::string_view buffer);

    /// After complete: views into `buffer` of the last parse() call.
    const http::RequestHeadView& head() const { return head_; }
    size_t head_bytes() const { return lines_.end_offset(); }
    /// After failed. Errors: every Rule but the status and chunk ones.
    const ParseError& error() const { return lines_.error(); }
    const HeadLines& lines() const { return lines_; }
    /// Method and target as far as they could be read; for records of refused requests.
    std::string_view method() const { return head_.method; }
    std::string_view target() const { return head_.target; }

  private:
    /// What the byte at scan_offset_ belongs to.
    enum class At : uint8_t { begin, method, target, version, fields };

    Progress parse_start_line(std::string_view buffer);
    Progress begin(std::string_view buffer);
    Progress scan_method(std::string_view buffer);
    Progress scan_target(std::string_view buffer);
    Progress scan_version(std::string_view buffer);
    Progress foreign(std::string_view buffer, Fingerprint fingerprint);
    Progress settle(std::string_view buffer);
    bool settle_target(std::string_view buffer);
    bool settle_absolute_target(std::string_view buffer, size_t scheme_bytes);
    bool settle_host(std::string_view buffer);
    bool settle_expectation(std::string_view buffer);
    void refresh(std::string_view buffer);
    Progress fail(Rule rule, std::string_view buffer, size_t offset, std::string_view value = {});
    Progress fail_start_line(Rule rule, std::string_view buffer, size_t offset);
    Progress fail_size(std::string_view buffer);
    size_t line_limit() const { return start_ + limits_.start_line_bytes; }
    size_t version_offset() const { return size_t{target_offset_} + target_size_ + 1; }

    HeadLimits limits_;
    HeadLines lines_;  // holds the error too, whichever part it is in
    http::RequestHeadView head_;
    size_t start_ = 0;  // offset of the request line
    size_t scan_offset_ = 0;
    // Start line parts as offsets, because the buffer may move while the fields arrive.
    uint32_t method_size_ = 0;
    uint32_t target_offset_ = 0;
    uint32_t target_size_ = 0;
    At at_ = At::begin;
};

}  // namespace edgecase::h1
