// Owns the message model of both protocol versions: heads as views, and how a body is delimited.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "http/field_name.hpp"

namespace edgecase::http {

/// One field line; name and value point into the buffer the head was parsed from.
struct FieldView {
    std::string_view name;
    std::string_view value;  // without leading and trailing white space
    FieldName known = FieldName::other;
};

/// How the end of a body is found. Source: RFC 9112 §6.3.
struct Framing {
    enum class Kind : uint8_t { none, length, chunked, close };
    Kind kind = Kind::none;
    uint64_t length = 0;  // bytes; only for Kind::length

    static constexpr Framing empty() { return {}; }
    static constexpr Framing of_length(uint64_t bytes) { return {Kind::length, bytes}; }
    static constexpr Framing chunked() { return {Kind::chunked, 0}; }
    static constexpr Framing until_close() { return {Kind::close, 0}; }
    bool operator==(const Framing&) const = default;
};

struct RequestHeadView {
    std::string_view method;
    std::string_view target;  // as sent: origin-form, absolute-form, authority-form or `*`
    uint8_t version_minor = 1;
    std::span<const FieldView> fields;
    Framing framing;
    bool keep_alive = true;  // what the version and Connection say together
    bool expects_continue = false;
    bool wants_upgrade = false;  // has Upgrade, and Connection names it
    std::string_view host;       // the Host field, or the authority of an absolute-form target
    std::string_view path;       // path and query; `*` for OPTIONS *
};

struct ResponseHeadView {
    uint16_t status = 0;
    std::string_view reason_phrase;
    uint8_t version_minor = 1;
    std::span<const FieldView> fields;
    Framing framing;
    bool keep_alive = true;
    bool is_interim() const { return status < 200 && status != 101; }
};

/// The first field of that name. Errors: nullptr when there is none.
const FieldView* find(std::span<const FieldView> fields, FieldName name);

/// Whether some `Connection` field lists `token` (case-insensitive).
bool connection_lists(std::span<const FieldView> fields, std::string_view token);

/// Whether to be asked twice is the same as once. Source: RFC 9110 §9.2.2.
bool is_idempotent(std::string_view method);

/// The standard reason phrase, or "Unknown". Source: RFC 9110 §15.
std::string_view reason_phrase(uint16_t status);

}  // namespace edgecase::http
