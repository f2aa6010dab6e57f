// Owns the reading of the fields that say how a message is framed, for requests and responses.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "h1/head_lines.hpp"
#include "h1/rule.hpp"
#include "http/message.hpp"

namespace edgecase::h1 {

struct FramingFields {
    std::optional<uint64_t> length;
    bool chunked = false;
    bool close = false;  // Connection lists it
    bool keep_alive = false;
    bool upgrade = false;

    /// Whether the connection may live on. Source: RFC 9112 §9.3.
    bool persists(uint8_t version_minor) const {
        return !close && (version_minor >= 1 || keep_alive);
    }
};

/// The message whose fields are read, as errors and decisions need it.
struct FramedMessage {
    std::string_view buffer;
    std::span<const http::FieldView> fields;
    uint8_t version_minor = 1;
    bool ignores_length = false;  // 2xx to CONNECT
    bool ignores_coding = false;  // responses that never have a body
};

/// Reads Content-Length, Transfer-Encoding and Connection into `out`.
/// Errors: false, with `error` set: conflicting_length, duplicate_length, bad_length,
/// length_and_coding, unknown_coding, chunked_not_final, coding_in_http10.
/// Source: RFC 9112 §6.
bool read_framing_fields(const FramedMessage& message, FramingFields& out, ParseError& error);

/// A breach in `field`, where `at` (a part of `buffer`, maybe empty) begins, with the field's value
/// as evidence.
ParseError value_breach(Rule rule, std::string_view buffer, const http::FieldView& field,
                        std::string_view at);

}  // namespace edgecase::h1
