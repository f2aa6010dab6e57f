// Owns the names of what can go wrong on an HTTP/2 connection: what was seen, not whose fault it
// is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace edgecase::h2 {

enum class Rule : uint8_t {
    none,
    // Said by the other side.
    reset,        // RST_STREAM
    goaway,       // GOAWAY, and this stream was not refused by it
    unprocessed,  // REFUSED_STREAM, or above GOAWAY's last-stream-id: nothing was done
    // Rules the other side broke; the first six end one stream only.
    forbidden_field,   // Connection, Transfer-Encoding and their like
    bad_pseudo,        // :status (or a request's) missing, doubled, misplaced or malformed
    bad_field,         // a name or value with a byte that may not be there
    header_list_size,  // more than we allow
    content_length,    // DATA against Content-Length
    closed_early,      // END_STREAM, or RST_STREAM with NO_ERROR, before the message was whole
    not_http2,         // the first bytes are no SETTINGS frame (or no preface)
    frame_size,
    flow_control,
    compression,       // HPACK
    closed_stream,     // a frame on a stream that is closed, reset or was never opened
    protocol,          // any other malformed or misplaced frame
    max_streams_zero,  // SETTINGS allow no stream at all
    // Floods; server role.
    rapid_reset,
    continuation_flood,
    settings_flood,
    ping_flood,
    empty_frame_flood,
    header_bomb,
};

std::string_view to_string(Rule rule);

/// Why a stream or the connection ended badly.
struct Fault {
    Rule rule = Rule::none;
    uint32_t error_code = 0;      // HTTP/2 error code: theirs for reset and goaway, else ours
    uint32_t stream_id = 0;       // the stream it was seen on; 0: the connection
    uint32_t last_stream_id = 0;  // of GOAWAY
    std::string field;            // name and value of the offending field, at most 256 bytes
    std::string detail;           // in words, or GOAWAY's debug data, at most 256 bytes
    bool is_connection = false;   // no stream of this connection can go on
};

/// `PROTOCOL_ERROR` and its like; a number none has gives `0x1234`. Source: RFC 9113 §7.
std::string error_code_name(uint32_t code);

}  // namespace edgecase::h2
