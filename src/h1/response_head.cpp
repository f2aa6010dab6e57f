#include "h1/response_head.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "h1/byte_class.hpp"
#include "h1/framing_fields.hpp"
#include "h1/head_lines.hpp"
#include "h1/limits.hpp"
#include "h1/rule.hpp"
#include "http/message.hpp"

namespace edgecase::h1 {
namespace {

constexpr std::string_view kProtocol = "HTTP/";
constexpr size_t kStatusOffset = 9;  // behind `HTTP/1.x `

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// The bytes from `at` up to the next white space, as far as they are there; for evidence.
std::string_view word_at(std::string_view buffer, size_t at) {
    const std::string_view rest = buffer.substr(at, kMaxEvidenceValueBytes);
    return rest.substr(0, rest.find_first_of(" \t\r\n"));
}

/// The first byte that cannot belong to `HTTP/`; npos if there is none.
size_t first_foreign(std::string_view buffer) {
    const size_t size = std::min(buffer.size(), kProtocol.size());
    for (size_t i = 0; i < size; ++i) {
        if (buffer[i] != kProtocol[i]) return i;
    }
    return std::string_view::npos;
}

}  // namespace

void ResponseHeadParser::reset(const HeadLimits& limits, ResponseContext context) {
    limits_ = limits;
    context_ = context;
    lines_.reset(limits);
    head_ = {};
    seen_ = line_end_ = scan_offset_ = 0;
    reason_offset_ = reason_size_ = 0;
}

Progress ResponseHeadParser::parse(std::string_view buffer) {
    if (error().rule != Rule::none) return Progress::failed;
    if (buffer.size() < seen_) return Progress::need_more;
    seen_ = buffer.size();
    if (line_end_ == 0) {
        const Progress progress = parse_status_line(buffer);
        if (progress != Progress::complete) return progress;
    }
    const Progress progress = lines_.scan(buffer, line_end_);
    return progress == Progress::complete ? settle(buffer) : progress;
}

Progress ResponseHeadParser::finish(std::string_view buffer) {
    const Progress progress = parse(buffer);
    if (progress != Progress::need_more || line_end_ != 0) return progress;
    const size_t foreign = first_foreign(buffer);
    if (foreign == std::string_view::npos) return progress;
    fail(Rule::not_http, buffer, foreign);
    lines_.error().fingerprint = final_fingerprint(buffer);
    return Progress::failed;
}

ResponseHeadParser::Position ResponseHeadParser::position() const {
    if (seen_ == 0) return Position::nothing;
    return line_end_ == 0 ? Position::status_line : Position::fields;
}

Progress ResponseHeadParser::parse_status_line(std::string_view buffer) {
    if (reason_offset_ == 0) {
        // These few bytes are looked at again with each arrival; only the reason can be long.
        Progress progress = parse_version(buffer);
        if (progress == Progress::complete) progress = parse_status(buffer);
        if (progress != Progress::complete) return progress;
    }
    return scan_reason(buffer);
}

Progress ResponseHeadParser::parse_version(std::string_view buffer) {
    if (const size_t foreign = first_foreign(buffer); foreign != std::string_view::npos) {
        const Fingerprint found = fingerprint(buffer);
        if (found == Fingerprint::none) return Progress::need_more;
        fail(Rule::not_http, buffer, foreign);
        lines_.error().fingerprint = found;
        return Progress::failed;
    }
    for (size_t at = kProtocol.size(); at < kStatusOffset; ++at) {
        if (at >= buffer.size()) return Progress::need_more;
        const char c = buffer[at];
        if (c == '\n') return fail(Rule::bare_lf, buffer, at);
        const bool fits = at == 5   ? c == '1'
                          : at == 6 ? c == '.'
                          : at == 7 ? c == '0' || c == '1'
                                    : c == ' ';
        if (fits) continue;
        if (at == 8 && c == '\r') {
            if (at + 1 == buffer.size()) return Progress::need_more;
            return fail(buffer[at + 1] == '\n' ? Rule::status_missing : Rule::bare_cr, buffer, at);
        }
        return fail(at == 8 && c == '\t' ? Rule::bad_start_line : Rule::bad_version, buffer, at,
                    word_at(buffer, 0));
    }
    head_.version_minor = static_cast<uint8_t>(buffer[7] - '0');
    return Progress::complete;
}

Progress ResponseHeadParser::parse_status(std::string_view buffer) {
    unsigned status = 0;
    size_t at = kStatusOffset;
    for (;; ++at) {
        if (at >= buffer.size()) return Progress::need_more;
        if (!is_digit(buffer[at])) break;
        if (at == kStatusOffset + 3) {
            return fail(Rule::status_too_long, buffer, at, word_at(buffer, kStatusOffset));
        }
        status = status * 10 + static_cast<unsigned>(buffer[at] - '0');
    }
    const size_t digits = at - kStatusOffset;
    const char c = buffer[at];
    if (c == '\n') return fail(Rule::bare_lf, buffer, at);
    if (digits == 0 && c == '\r') {
        if (at + 1 == buffer.size()) return Progress::need_more;
        return fail(buffer[at + 1] == '\n' ? Rule::status_missing : Rule::bare_cr, buffer, at);
    }
    if (digits == 0 && c == ' ') return fail(Rule::bad_start_line, buffer, at);
    if (c == '\t') return fail(Rule::bad_start_line, buffer, at);
    const std::string_view word = word_at(buffer, kStatusOffset);
    if (c != ' ' && c != '\r') return fail(Rule::status_not_numeric, buffer, at, word);
    if (digits < 3) return fail(Rule::status_too_short, buffer, at, word);
    if (status < 100 || status > 599) {
        return fail(Rule::status_out_of_range, buffer, kStatusOffset, word);
    }
    head_.status = static_cast<uint16_t>(status);
    // The space behind the code is required, but servers that send no reason often omit it too.
    scan_offset_ = c == ' ' ? at + 1 : at;
    reason_offset_ = static_cast<uint32_t>(scan_offset_);
    return Progress::complete;
}

Progress ResponseHeadParser::scan_reason(std::string_view buffer) {
    const size_t limit = std::max<size_t>(limits_.start_line_bytes, reason_offset_);
    const size_t stop = std::min(buffer.size(), limit);
    size_t at = find_control(buffer, scan_offset_, stop);
    while (at < stop && buffer[at] == '\t') at = find_control(buffer, at + 1, stop);
    scan_offset_ = at;
    if (at == buffer.size()) return Progress::need_more;
    if (buffer[at] == '\n') return fail(Rule::bare_lf, buffer, at);
    if (buffer[at] == '\r') {
        if (at + 1 == buffer.size()) return Progress::need_more;
        if (buffer[at + 1] != '\n') return fail(Rule::bare_cr, buffer, at);
        reason_size_ = static_cast<uint32_t>(at) - reason_offset_;
        line_end_ = at + 2;
        return Progress::complete;
    }
    if (at != limit) return fail(Rule::bad_reason_phrase, buffer, at);
    fail(Rule::start_line_too_large, buffer, at);
    lines_.error().limit = limits_.start_line_bytes;
    lines_.error().seen = std::min(buffer.find('\n', at), buffer.size());
    return Progress::failed;
}

Progress ResponseHeadParser::settle(std::string_view buffer) {
    head_.reason_phrase = buffer.substr(reason_offset_, reason_size_);
    head_.fields = lines_.views(buffer);
    const uint16_t status = head_.status;
    const bool tunnel = context_.to_connect && status >= 200 && status < 300;
    const bool bodiless =
        context_.to_head || tunnel || status < 200 || status == 204 || status == 304;
    FramingFields framing;
    const FramedMessage message{.buffer = buffer,
                                .fields = head_.fields,
                                .version_minor = head_.version_minor,
                                .ignores_length = tunnel,
                                .ignores_coding = bodiless};
    if (!read_framing_fields(message, framing, lines_.error())) return Progress::failed;
    if (bodiless) {
        head_.framing = http::Framing::empty();
    } else if (framing.chunked) {
        head_.framing = http::Framing::chunked();
    } else if (framing.length) {
        head_.framing = http::Framing::of_length(*framing.length);
    } else {
        head_.framing = http::Framing::until_close();
    }
    head_.keep_alive =
        framing.persists(head_.version_minor) && head_.framing.kind != http::Framing::Kind::close;
    return Progress::complete;
}

Progress ResponseHeadParser::fail(Rule rule, std::string_view buffer, size_t offset,
                                  std::string_view value) {
    lines_.error() = breach(rule, buffer, offset, 0);
    if (!value.empty()) add_value(lines_.error(), value);
    return Progress::failed;
}

}  // namespace edgecase::h1
