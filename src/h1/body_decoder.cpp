#include "h1/body_decoder.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "h1/head_lines.hpp"
#include "h1/limits.hpp"
#include "h1/rule.hpp"
#include "http/field_name.hpp"
#include "http/message.hpp"

namespace edgecase::h1 {
namespace {

using http::FieldName;
using http::Framing;

constexpr uint32_t kMaxSizeDigits = 16;

/// The value of a hexadecimal digit, or 16.
unsigned hex_value(char c) {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? static_cast<unsigned>(lower - 'a') + 10 : 16;
}

/// Fields that frame, route or hop may not come after the body, when they have been acted on
/// already. Source: RFC 9110 §6.5.1.
bool is_forbidden_trailer(FieldName name) {
    return http::is_hop_by_hop(name) || name == FieldName::content_length ||
           name == FieldName::host || name == FieldName::trailer || name == FieldName::expect;
}

bool is_size_rule(Rule rule) {
    return rule == Rule::section_too_large || rule == Rule::line_too_large ||
           rule == Rule::too_many_fields;
}

}  // namespace

void BodyDecoder::reset(Framing framing, const HeadLimits& trailer_limits) {
    framing_ = framing;
    state_ = State::more;
    remaining_ = payload_bytes_ = body_offset_ = 0;
    digits_ = extension_bytes_ = 0;
    trailer_limits_ = trailer_limits;
    trailer_bytes_.clear();
    trailer_lines_.reset(trailer_limits);
    trailer_views_ = {};
    switch (framing.kind) {
        case Framing::Kind::none:
            at_ = At::end;
            state_ = State::done;
            break;
        case Framing::Kind::length:
            at_ = At::plain;
            remaining_ = framing.length;
            if (remaining_ == 0) state_ = State::done;
            break;
        case Framing::Kind::chunked:
            at_ = At::size;
            break;
        case Framing::Kind::close:
            at_ = At::plain;
            break;
    }
}

BodyDecoder::Step BodyDecoder::next(std::string_view input) {
    if (state_ != State::more) return {0, {}, state_};
    return framing_.kind == Framing::Kind::chunked ? next_chunked(input) : next_plain(input);
}

bool BodyDecoder::finish() {
    if (state_ == State::more && framing_.kind == Framing::Kind::close) state_ = State::done;
    return state_ == State::done;
}

BodyDecoder::Step BodyDecoder::next_plain(std::string_view input) {
    size_t size = input.size();
    if (framing_.kind == Framing::Kind::length) {
        size = static_cast<size_t>(std::min<uint64_t>(size, remaining_));
        remaining_ -= size;
        if (remaining_ == 0) state_ = State::done;
    }
    payload_bytes_ += size;
    body_offset_ += size;
    return {size, input.substr(0, size), state_};
}

BodyDecoder::Step BodyDecoder::next_chunked(std::string_view input) {
    Step step;
    size_t at = 0;
    size_t line_start = 0;  // of the size line, for samples
    Rule broken = Rule::none;
    while (at < input.size() && state_ == State::more) {
        const char c = input[at];
        if (at_ == At::data) {
            if (!step.payload.empty()) break;  // one run of payload for each step
            const auto size =
                static_cast<size_t>(std::min<uint64_t>(input.size() - at, remaining_));
            step.payload = input.substr(at, size);
            at += size;
            remaining_ -= size;
            payload_bytes_ += size;
            if (remaining_ == 0) at_ = At::data_cr;
            continue;
        }
        if (at_ == At::trailers) {
            // The usual end, without trailers, is part of the step; otherwise the next call goes
            // on.
            const bool usual = trailer_bytes_.empty() && input.substr(at).starts_with("\r\n");
            if (!usual && !step.payload.empty()) break;
            body_offset_ += at;
            step.consumed = at + take_trailers(input.substr(at));
            step.state = state_;
            return step;
        }
        switch (at_) {
            case At::size:
                broken = take_size_byte(c);
                break;
            case At::extension:
                broken = take_extension_byte(c);
                break;
            case At::size_lf:
                if (c == '\n') {
                    end_size_line();
                } else {
                    broken = Rule::bad_chunk_size;
                }
                break;
            case At::data_cr:
                if (c == '\r') {
                    at_ = At::data_lf;
                } else {
                    broken = Rule::bad_chunk_end;
                }
                break;
            case At::data_lf:
                if (c == '\n') {
                    at_ = At::size;
                    line_start = at + 1;
                } else {
                    broken = Rule::bad_chunk_end;
                }
                break;
            case At::data:
            case At::trailers:
            case At::plain:
            case At::end:
                break;
        }
        if (broken != Rule::none) {
            // Payload before the breach is handed out first; the next call meets the breach again.
            if (step.payload.empty()) fail(broken, input, at, line_start);
            break;
        }
        ++at;
    }
    body_offset_ += at;
    step.consumed = at;
    step.state = state_;
    return step;
}

Rule BodyDecoder::take_size_byte(char c) {
    const unsigned digit = hex_value(c);
    if (digit < 16) {
        if (digits_ == kMaxSizeDigits) return Rule::bad_chunk_size;
        const uint64_t size = remaining_ << 4 | digit;
        if (size >> 63 != 0) return Rule::bad_chunk_size;
        remaining_ = size;
        ++digits_;
        return Rule::none;
    }
    if (digits_ == 0) return Rule::bad_chunk_size;
    if (c == '\r') {
        at_ = At::size_lf;
    } else if (c == ';') {
        at_ = At::extension;
    } else {
        return Rule::bad_chunk_size;
    }
    return Rule::none;
}

Rule BodyDecoder::take_extension_byte(char c) {
    if (c == '\r') {
        at_ = At::size_lf;
        return Rule::none;
    }
    const bool printable = (c >= 0x20 && c < 0x7f) || c == '\t';
    if (!printable || extension_bytes_ == kMaxExtensionBytes) return Rule::bad_chunk_extension;
    ++extension_bytes_;
    return Rule::none;
}

void BodyDecoder::end_size_line() {
    digits_ = 0;
    at_ = remaining_ == 0 ? At::trailers : At::data;
}

size_t BodyDecoder::take_trailers(std::string_view input) {
    if (trailer_bytes_.empty() && input.starts_with("\r\n")) {
        at_ = At::end;
        state_ = State::done;
        body_offset_ += 2;
        return 2;
    }
    // No valid section needs more bytes than its limit and the blank line.
    const size_t before = trailer_bytes_.size();
    const uint64_t section_offset = body_offset_ - before;
    const size_t room = size_t{trailer_limits_.section_bytes} + 2 - before;
    trailer_bytes_.append(input.substr(0, room));
    const Progress progress = trailer_lines_.scan(trailer_bytes_, 0);
    if (progress == Progress::failed) {
        fail_trailers(section_offset);
        return 0;
    }
    if (progress == Progress::need_more) {
        body_offset_ += trailer_bytes_.size() - before;
        return trailer_bytes_.size() - before;
    }
    if (!check_trailer_names(section_offset)) return 0;
    at_ = At::end;
    state_ = State::done;
    const size_t consumed = trailer_lines_.end_offset() - before;
    body_offset_ += consumed;
    return consumed;
}

bool BodyDecoder::check_trailer_names(uint64_t section_offset) {
    const std::string_view bytes = trailer_bytes_;
    trailer_views_ = trailer_lines_.views(bytes);
    for (const http::FieldView& field : trailer_views_) {
        if (!is_forbidden_trailer(field.known)) continue;
        const auto offset = static_cast<size_t>(field.name.data() - bytes.data());
        trailer_lines_.error() = breach(Rule::bad_name_byte, bytes, offset, offset, field.name);
        fail_trailers(section_offset);
        trailer_lines_.error().values = {std::string(field.name) + " is not allowed in trailers"};
        return false;
    }
    return true;
}

void BodyDecoder::fail(Rule rule, std::string_view input, size_t at, size_t line_start) {
    ParseError& error = trailer_lines_.error();
    error = breach(rule, input, at, line_start);
    // The input begins somewhere in the body; offsets count from the body's first byte.
    error.offset += body_offset_;
    error.sample.first_offset += body_offset_;
    error.sample.error_offset += body_offset_;
    if (rule == Rule::bad_chunk_extension && extension_bytes_ == kMaxExtensionBytes) {
        error.limit = kMaxExtensionBytes;
        error.seen = uint64_t{extension_bytes_} + 1;
    }
    state_ = State::failed;
}

void BodyDecoder::fail_trailers(uint64_t section_offset) {
    ParseError& error = trailer_lines_.error();
    error.values = {std::string(to_string(error.rule))};
    error.rule = is_size_rule(error.rule) ? Rule::trailers_too_large : Rule::bad_trailer;
    error.offset += section_offset;
    error.sample.first_offset += section_offset;
    error.sample.error_offset += section_offset;
    trailer_views_ = {};
    state_ = State::failed;
}

}  // namespace edgecase::h1
