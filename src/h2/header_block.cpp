#include "h2/header_block.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

#include "base/ascii.hpp"
#include "base/byte_buffer.hpp"
#include "base/escape.hpp"
#include "h1/byte_class.hpp"
#include "h1/writer.hpp"
#include "h2/fault.hpp"
#include "http/field_name.hpp"
#include "http/message.hpp"

namespace edgecase::h2 {
namespace {

using http::FieldName;

constexpr size_t kMaxEvidenceBytes = 256;
constexpr size_t kListEntryBytes = 32;  // RFC 9113 §6.5.2

bool is_name_byte(char c) {
    return h1::is(h1::kTokenBytes, c) && (c < 'A' || c > 'Z');
}

bool breaks_text(char c) {
    return c == '\0' || c == '\r' || c == '\n';
}

bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/// SP and control bytes would end the target or the line it becomes part of.
bool fits_start_line(std::string_view text) {
    return std::ranges::none_of(text, [](char c) { return c == ' ' || h1::is_control(c); });
}

bool is_token(std::string_view text) {
    return !text.empty() &&
           std::ranges::all_of(text, [](char c) { return h1::is(h1::kTokenBytes, c); });
}

}  // namespace

std::string evidence(std::string_view bytes) {
    std::string text = base::escape(bytes.substr(0, kMaxEvidenceBytes));
    if (text.size() > kMaxEvidenceBytes) text.resize(kMaxEvidenceBytes);
    return text;
}

void HeaderBlock::begin(Kind kind, uint32_t list_limit_bytes) {
    kind_ = kind;
    list_limit_ = list_limit_bytes;
    list_bytes_ = 0;
    rule_ = Rule::none;
    field_.clear();
    detail_ = {};
    pseudos_ = {};
    pseudo_text_.clear();
    fields_.clear();
    cookie_.clear();
    content_length_.reset();
    status_ = 0;
    regular_seen_ = te_trailers_ = false;
}

void HeaderBlock::add(std::string_view name, std::string_view value) {
    list_bytes_ += name.size() + value.size() + kListEntryBytes;
    if (rule_ != Rule::none) return;
    if (list_bytes_ > list_limit_) return fail(Rule::header_list_size, name, value, {});
    if (std::ranges::any_of(value, breaks_text)) {
        return fail(Rule::bad_field, name, value, "NUL, CR or LF in a value");
    }
    if (!value.empty() && (is_blank(value.front()) || is_blank(value.back()))) {
        return fail(Rule::bad_field, name, value, "white space around a value");
    }
    if (name.starts_with(':')) return add_pseudo(name, value);
    if (name.empty() || !std::ranges::all_of(name, is_name_byte)) {
        return fail(Rule::bad_field, name, value, "a byte that no field name may have");
    }
    regular_seen_ = true;
    add_field(name, value);
}

void HeaderBlock::add_pseudo(std::string_view name, std::string_view value) {
    if (kind_ == Kind::trailers) return fail(Rule::bad_pseudo, name, value, "in trailers");
    if (regular_seen_) return fail(Rule::bad_pseudo, name, value, "behind a regular field");
    Pseudo which = Pseudo::unknown;
    if (kind_ == Kind::response) {
        if (name == ":status") which = Pseudo::status;
    } else if (name == ":method") {
        which = Pseudo::method;
    } else if (name == ":path") {
        which = Pseudo::path;
    } else if (name == ":scheme") {
        which = Pseudo::scheme;
    } else if (name == ":authority") {
        which = Pseudo::authority;
    }
    if (which == Pseudo::unknown) return fail(Rule::bad_pseudo, name, value, "unknown");
    if (seen(which)) return fail(Rule::bad_pseudo, name, value, "twice");
    if (!fits_start_line(value)) return fail(Rule::bad_pseudo, name, value, "malformed");
    if (which == Pseudo::status) {
        const bool digits = value.size() == 3 &&
                            std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
        if (!digits || value.front() == '0') {
            return fail(Rule::bad_pseudo, name, value, "not three digits");
        }
        std::from_chars(value.data(), value.data() + 3, status_);
        if (status_ == 101) return fail(Rule::bad_pseudo, name, value, "HTTP/2 has no 101");
    } else if ((which == Pseudo::method || which == Pseudo::scheme) && !is_token(value)) {
        return fail(Rule::bad_pseudo, name, value, "malformed");
    }
    pseudos_[static_cast<size_t>(which)] = {pseudo_text_.size(), value.size(), true};
    pseudo_text_ += value;
}

void HeaderBlock::add_field(std::string_view name, std::string_view value) {
    const FieldName known = http::classify(name);
    switch (known) {
        case FieldName::connection:
        case FieldName::keep_alive:
        case FieldName::proxy_connection:
        case FieldName::transfer_encoding:
        case FieldName::upgrade:
            return fail(Rule::forbidden_field, name, value, "HTTP/2 has no such field");
        case FieldName::te:
            if (kind_ != Kind::request) break;
            if (!base::iequals(value, "trailers")) {
                return fail(Rule::forbidden_field, name, value, "only `trailers` is allowed");
            }
            te_trailers_ = true;
            return;
        case FieldName::content_length:
            if (kind_ == Kind::trailers) break;
            return add_length(name, value);
        case FieldName::host:
            if (kind_ != Kind::request) break;
            return add_host(name, value);
        case FieldName::other:
            if (kind_ != Kind::request || name != "cookie") break;
            // Cut into several fields for the sake of compression (RFC 9113 §8.2.3).
            if (!cookie_.empty()) cookie_.append("; ");
            cookie_.append(value);
            return;
        case FieldName::accept:
        case FieldName::cdn_loop:
        case FieldName::cf_connecting_ip:
        case FieldName::cf_ray:
        case FieldName::cf_visitor:
        case FieldName::content_type:
        case FieldName::expect:
        case FieldName::proxy_authenticate:
        case FieldName::proxy_authorization:
        case FieldName::proxy_status:
        case FieldName::referer:
        case FieldName::server:
        case FieldName::set_cookie:
        case FieldName::traceparent:
        case FieldName::tracestate:
        case FieldName::trailer:
        case FieldName::true_client_ip:
        case FieldName::user_agent:
        case FieldName::x_forwarded_for:
        case FieldName::x_forwarded_proto:
            break;
    }
    h1::write_field(fields_, name, value);
}

void HeaderBlock::add_length(std::string_view name, std::string_view value) {
    uint64_t length = 0;
    const char* const end = value.data() + value.size();
    const auto [stop, error] = std::from_chars(value.data(), end, length);
    if (value.empty() || error != std::errc() || stop != end || length >> 63 != 0) {
        return fail(Rule::content_length, name, value, "not a number");
    }
    if (content_length_ && *content_length_ != length) {
        return fail(Rule::content_length, name, value, "differs from the one before");
    }
    content_length_ = length;
}

void HeaderBlock::add_host(std::string_view name, std::string_view value) {
    if (!seen(Pseudo::authority)) return h1::write_field(fields_, name, value);
    if (base::iequals(value, pseudo(Pseudo::authority))) return;
    fail(Rule::bad_pseudo, name, value, "differs from :authority");
}

bool HeaderBlock::finish() {
    if (rule_ != Rule::none) return false;
    if (kind_ == Kind::response && !seen(Pseudo::status)) {
        fail(Rule::bad_pseudo, ":status is missing");
    }
    return kind_ == Kind::request ? finish_request() : rule_ == Rule::none;
}

bool HeaderBlock::finish_request() {
    if (!seen(Pseudo::method)) {
        fail(Rule::bad_pseudo, ":method is missing");
    } else if (method() == "CONNECT") {
        if (seen(Pseudo::scheme) || seen(Pseudo::path)) {
            fail(Rule::bad_pseudo, "CONNECT with :scheme or :path");
        } else if (pseudo(Pseudo::authority).empty()) {
            fail(Rule::bad_pseudo, "CONNECT without :authority");
        }
    } else if (!seen(Pseudo::scheme)) {
        fail(Rule::bad_pseudo, ":scheme is missing");
    } else if (!seen(Pseudo::path)) {
        fail(Rule::bad_pseudo, ":path is missing");
    } else if (const std::string_view path = pseudo(Pseudo::path);
               !path.starts_with('/') && !(path == "*" && method() == "OPTIONS")) {
        // Another form would become a proxy's target in the text, with an authority of its own.
        fail(Rule::bad_pseudo, ":path", path, "does not begin with a slash");
    }
    return rule_ == Rule::none;
}

std::string HeaderBlock::detail() const {
    if (rule_ != Rule::header_list_size) return std::string(detail_);
    return fmt::format("{} bytes, allowed {}", list_bytes_, list_limit_);
}

void HeaderBlock::fail(Rule rule, std::string_view name, std::string_view value,
                       std::string_view detail) {
    rule_ = rule;
    detail_ = detail;
    if (name.empty() && value.empty()) return;
    std::string field(name.substr(0, kMaxEvidenceBytes));
    field += ": ";
    field += value.substr(0, kMaxEvidenceBytes);
    field_ = evidence(field);
}

void HeaderBlock::write_length(base::ByteBuffer& out, bool chunked, bool zero) const {
    if (content_length_) {
        out.append("content-length: ");
        h1::write_number(out, *content_length_);
        out.append("\r\n");
    } else if (chunked) {
        out.append("transfer-encoding: chunked\r\n");
    } else if (zero) {
        out.append("content-length: 0\r\n");
    }
}

void HeaderBlock::write_request(base::ByteBuffer& out, bool chunked) const {
    const std::string_view verb = method();
    const std::string_view authority = pseudo(Pseudo::authority);
    h1::write_request_line(out, verb, verb == "CONNECT" ? authority : pseudo(Pseudo::path));
    if (seen(Pseudo::authority)) h1::write_field(out, "host", authority);
    out.append(fields_.view());
    if (!cookie_.empty()) h1::write_field(out, "cookie", cookie_.view());
    // Many servers ask those methods for a length even when there is no body.
    const bool says_zero = verb == "POST" || verb == "PUT" || verb == "PATCH";
    write_length(out, chunked, says_zero);
    if (te_trailers_) out.append("te: trailers\r\nconnection: te\r\n");
    out.append("\r\n");
}

void HeaderBlock::write_response(base::ByteBuffer& out, bool chunked, bool without_length) const {
    // HTTP/2 has no reason phrase; clients of HTTP/1.1 exist that fail without one.
    const std::string_view reason = http::reason_phrase(status_);
    h1::write_status_line(out, status_, reason == "Unknown" ? std::string_view() : reason);
    out.append(fields_.view());
    // An interim response has no body, whatever it says.
    if (status_ >= 200) write_length(out, chunked, without_length);
    out.append("\r\n");
}

}  // namespace edgecase::h2
