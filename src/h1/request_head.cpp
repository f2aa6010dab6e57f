#include "h1/request_head.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/ascii.hpp"
#include "h1/authority.hpp"
#include "h1/byte_class.hpp"
#include "h1/framing_fields.hpp"
#include "h1/head_lines.hpp"
#include "h1/limits.hpp"
#include "h1/rule.hpp"
#include "http/field_name.hpp"
#include "http/message.hpp"

namespace edgecase::h1 {
namespace {

using http::FieldName;
using http::FieldView;

constexpr std::string_view kProtocol = "HTTP/";

bool istarts_with(std::string_view text, std::string_view prefix) {
    return text.size() >= prefix.size() && base::iequals(text.substr(0, prefix.size()), prefix);
}

}  // namespace

void RequestHeadParser::reset(const HeadLimits& limits) {
    limits_ = limits;
    lines_.reset(limits);
    head_ = {};
    start_ = scan_offset_ = 0;
    method_size_ = target_offset_ = target_size_ = 0;
    at_ = At::begin;
}

Progress RequestHeadParser::parse(std::string_view buffer) {
    if (error().rule != Rule::none) return Progress::failed;
    if (buffer.size() < scan_offset_) return Progress::need_more;
    Progress progress = parse_start_line(buffer);
    if (progress == Progress::complete) progress = lines_.scan(buffer, scan_offset_);
    refresh(buffer);
    return progress == Progress::complete ? settle(buffer) : progress;
}

Progress RequestHeadParser::finish(std::string_view buffer) {
    const Progress progress = parse(buffer);
    // Still before the method although there are bytes: they are none, and only their kind is open.
    const bool open = progress == Progress::need_more && at_ == At::begin;
    if (!open || buffer.size() <= start_ || buffer[start_] == '\r') return progress;
    return foreign(buffer, final_fingerprint(buffer));
}

Progress RequestHeadParser::parse_start_line(std::string_view buffer) {
    Progress progress = Progress::complete;
    switch (at_) {
        case At::begin:
            progress = begin(buffer);
            if (progress != Progress::complete) return progress;
            [[fallthrough]];
        case At::method:
            progress = scan_method(buffer);
            if (progress != Progress::complete) return progress;
            [[fallthrough]];
        case At::target:
            progress = scan_target(buffer);
            if (progress != Progress::complete) return progress;
            [[fallthrough]];
        case At::version:
            return scan_version(buffer);
        case At::fields:
            break;
    }
    return progress;
}

Progress RequestHeadParser::begin(std::string_view buffer) {
    if (start_ == 0 && buffer.starts_with('\r')) {
        if (buffer.size() == 1) return Progress::need_more;
        if (buffer[1] != '\n') return fail(Rule::bare_cr, buffer, 0);
        start_ = 2;
    }
    if (buffer.size() <= start_) return Progress::need_more;
    const char first = buffer[start_];
    if (is(kTokenBytes, first)) {
        scan_offset_ = start_;
        at_ = At::method;
        return Progress::complete;
    }
    if (first == '\n') return fail(Rule::bare_lf, buffer, start_);
    if (first == ' ' || first == '\t') return fail(Rule::bad_start_line, buffer, start_);
    return foreign(buffer, fingerprint(buffer));
}

Progress RequestHeadParser::scan_method(std::string_view buffer) {
    const size_t stop = std::min(buffer.size(), line_limit());
    const size_t at = skip_class(kTokenBytes, buffer, scan_offset_, stop);
    scan_offset_ = at;
    if (at == buffer.size()) return Progress::need_more;
    method_size_ = static_cast<uint32_t>(at - start_);
    if (at == line_limit()) return fail_size(buffer);
    switch (buffer[at]) {
        case ' ':
            break;
        case '\n':
            return fail_start_line(Rule::bare_lf, buffer, at);
        case '\r':
        case '\t':
            return fail_start_line(Rule::bad_start_line, buffer, at);
        default:
            return fail_start_line(Rule::bad_method, buffer, at);
    }
    target_offset_ = static_cast<uint32_t>(at + 1);
    scan_offset_ = at + 1;
    at_ = At::target;
    return Progress::complete;
}

Progress RequestHeadParser::scan_target(std::string_view buffer) {
    const size_t stop = std::min(buffer.size(), line_limit());
    const size_t at = skip_class(kTargetBytes, buffer, scan_offset_, stop);
    scan_offset_ = at;
    target_size_ = static_cast<uint32_t>(at - target_offset_);
    if (at == buffer.size()) return Progress::need_more;
    if (at == line_limit()) return fail_size(buffer);
    switch (buffer[at]) {
        case ' ':
            break;
        case '\n':
            return fail_start_line(Rule::bare_lf, buffer, at);
        case '\r':
        case '\t':
            return fail_start_line(Rule::bad_start_line, buffer, at);
        default:
            return fail_start_line(Rule::bad_target, buffer, at);
    }
    if (target_size_ == 0) return fail_start_line(Rule::bad_start_line, buffer, at);
    at_ = At::version;
    return Progress::complete;
}

Progress RequestHeadParser::scan_version(std::string_view buffer) {
    const size_t start = version_offset();
    // These few bytes are looked at again with each arrival.
    for (size_t i = 0; i < 10; ++i) {
        const size_t at = start + i;
        if (at >= buffer.size()) return Progress::need_more;
        if (at == line_limit() && i < 8) return fail_size(buffer);
        const char c = buffer[at];
        if (c == '\n' && i < 9) return fail_start_line(Rule::bare_lf, buffer, at);
        const bool fits = i < 5    ? c == kProtocol[i]
                          : i == 5 ? c == '1'
                          : i == 6 ? c == '.'
                          : i == 7 ? c == '0' || c == '1'
                          : i == 8 ? c == '\r'
                                   : c == '\n';
        if (fits) continue;
        if (i == 9) return fail_start_line(Rule::bare_cr, buffer, start + 8);
        const bool space = c == ' ' || c == '\t';
        const bool structure = i < 5 || (i == 8 && space);
        fail_start_line(structure ? Rule::bad_start_line : Rule::bad_version, buffer, at);
        if (error().rule == Rule::bad_version) {
            const std::string_view rest = buffer.substr(start, kMaxEvidenceValueBytes);
            add_value(lines_.error(), rest.substr(0, rest.find_first_of(" \t\r\n")));
        }
        return Progress::failed;
    }
    head_.version_minor = static_cast<uint8_t>(buffer[start + 7] - '0');
    scan_offset_ = start + 10;
    at_ = At::fields;
    return Progress::complete;
}

Progress RequestHeadParser::foreign(std::string_view buffer, Fingerprint fingerprint) {
    if (fingerprint == Fingerprint::none) return Progress::need_more;
    // A second empty line before the request line, unless a binary PROXY header begins like that.
    if (fingerprint == Fingerprint::text && buffer[start_] == '\r') {
        return fail(Rule::bad_start_line, buffer, start_);
    }
    fail(Rule::not_http, buffer, start_);
    lines_.error().fingerprint = fingerprint;
    return Progress::failed;
}

Progress RequestHeadParser::settle(std::string_view buffer) {
    head_.fields = lines_.views(buffer);
    if (!settle_target(buffer) || !settle_host(buffer)) return Progress::failed;
    FramingFields framing;
    const FramedMessage message{
        .buffer = buffer, .fields = head_.fields, .version_minor = head_.version_minor};
    if (!read_framing_fields(message, framing, lines_.error())) return Progress::failed;
    if (framing.chunked) {
        head_.framing = http::Framing::chunked();
    } else if (framing.length) {
        head_.framing = http::Framing::of_length(*framing.length);
    } else {
        head_.framing = http::Framing::empty();
    }
    head_.keep_alive = framing.persists(head_.version_minor);
    head_.wants_upgrade =
        head_.version_minor == 1 && framing.upgrade && lines_.has(FieldName::upgrade);
    return settle_expectation(buffer) ? Progress::complete : Progress::failed;
}

bool RequestHeadParser::settle_target(std::string_view buffer) {
    const std::string_view target = head_.target;
    if (head_.method == "CONNECT") {
        const AuthorityCheck check = check_authority(target, PortNeed::required);
        if (check.ok) {
            head_.host = target;
            head_.path = {};
            return true;
        }
        fail(Rule::bad_target, buffer, target_offset_ + check.bad_offset, target);
        return false;
    }
    head_.path = target;
    if (target.front() == '/') return true;
    if (target == "*" && head_.method == "OPTIONS") return true;
    if (istarts_with(target, "http://")) return settle_absolute_target(buffer, 7);
    if (istarts_with(target, "https://")) return settle_absolute_target(buffer, 8);
    fail(Rule::bad_target, buffer, target_offset_, target);
    return false;
}

bool RequestHeadParser::settle_absolute_target(std::string_view buffer, size_t scheme_bytes) {
    const std::string_view rest = head_.target.substr(scheme_bytes);
    const size_t end = std::min(rest.find_first_of("/?"), rest.size());
    const AuthorityCheck check = check_authority(rest.substr(0, end), PortNeed::optional);
    // `http://host?query` has no path to take a view of; no client sends it.
    const bool query_first = end < rest.size() && rest[end] == '?';
    if (!check.ok || query_first) {
        const size_t bad = scheme_bytes + (check.ok ? end : check.bad_offset);
        fail(Rule::bad_target, buffer, target_offset_ + bad, head_.target);
        return false;
    }
    head_.host = rest.substr(0, end);
    if (end < rest.size()) {
        head_.path = rest.substr(end);
    } else {
        head_.path = head_.method == "OPTIONS" ? "*" : "/";  // RFC 9112 §3.2.4
    }
    return true;
}

bool RequestHeadParser::settle_host(std::string_view buffer) {
    const FieldView* host = nullptr;
    if (lines_.has(FieldName::host)) {
        for (const FieldView& field : head_.fields) {
            if (field.known != FieldName::host) continue;
            if (host != nullptr) {
                lines_.error() = value_breach(Rule::duplicate_host, buffer, field, field.name);
                lines_.error().values.clear();
                add_value(lines_.error(), host->value);
                add_value(lines_.error(), field.value);
                return false;
            }
            host = &field;
        }
    }
    if (host == nullptr) {
        if (head_.version_minor == 0) return true;
        const size_t blank_line = lines_.end_offset() - 2;
        lines_.error() = breach(Rule::missing_host, buffer, blank_line, blank_line);
        return false;
    }
    const AuthorityCheck check = check_authority(host->value, PortNeed::optional);
    if (!check.ok) {
        lines_.error() =
            value_breach(Rule::bad_host, buffer, *host, host->value.substr(check.bad_offset));
        return false;
    }
    // The target's own authority wins over Host (RFC 9112 §3.2.2, §3.2.3).
    if (head_.host.empty()) head_.host = host->value;
    return true;
}

bool RequestHeadParser::settle_expectation(std::string_view buffer) {
    // RFC 9110 §10.1.1: an HTTP/1.0 client's expectation is ignored.
    if (!lines_.has(FieldName::expect) || head_.version_minor == 0) return true;
    for (const FieldView& field : head_.fields) {
        if (field.known != FieldName::expect) continue;
        if (!base::iequals(field.value, "100-continue")) {
            lines_.error() = value_breach(Rule::unknown_expectation, buffer, field, field.value);
            return false;
        }
        head_.expects_continue = true;
    }
    return true;
}

void RequestHeadParser::refresh(std::string_view buffer) {
    head_.method = buffer.substr(std::min(start_, buffer.size()), method_size_);
    head_.target =
        target_offset_ == 0 ? std::string_view() : buffer.substr(target_offset_, target_size_);
    head_.host = {};
}

Progress RequestHeadParser::fail(Rule rule, std::string_view buffer, size_t offset,
                                 std::string_view value) {
    lines_.error() = breach(rule, buffer, offset, start_);
    if (!value.empty()) add_value(lines_.error(), value);
    return Progress::failed;
}

Progress RequestHeadParser::fail_start_line(Rule rule, std::string_view buffer, size_t offset) {
    // Some protocols begin with bytes a method may begin with: SSH, PROXY, the HTTP/2 preface. Only
    // the bytes up to the breach count, so that the verdict does not depend on how they arrive.
    const Fingerprint found = fingerprint(buffer.substr(0, offset + 1));
    const bool foreign_protocol =
        found != Fingerprint::none && found != Fingerprint::text && found != Fingerprint::binary;
    if (!foreign_protocol) return fail(rule, buffer, offset);
    fail(Rule::not_http, buffer, start_);
    lines_.error().fingerprint = found;
    return Progress::failed;
}

Progress RequestHeadParser::fail_size(std::string_view buffer) {
    const size_t at = line_limit();
    fail(Rule::start_line_too_large, buffer, at);
    lines_.error().limit = limits_.start_line_bytes;
    lines_.error().seen = std::min(buffer.find('\n', at), buffer.size()) - start_;
    return Progress::failed;
}

}  // namespace edgecase::h1
