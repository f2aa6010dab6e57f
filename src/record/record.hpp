// Owns the record of one request: what the client asked, what the edge did, why it failed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "cause/evidence.hpp"
#include "cause/table.hpp"
#include "ip/endpoint.hpp"
#include "record/ray_id.hpp"

namespace edgecase::record {

/// How a connection ended, as far as the edge saw.
enum class Close : uint8_t { open, fin, rst, timeout, local };

std::string_view to_string(Close close);

/// `TLSv1.3` of 0x0304, as Logpush and OpenSSL write it; `none` of 0, `unknown` of what is no
/// version.
std::string_view tls_version_name(uint16_t version);

/// One try on one connection to an origin. Durations are -1 when the phase was not reached.
struct Attempt {
    cause::Cause cause = cause::Cause::none;
    ip::Endpoint origin;         // unspecified address: never got as far as one
    ip::Endpoint edge;           // the source address used
    uint64_t connection_id = 0;  // unique in one run of one worker
    bool reused = false;
    int64_t idle_us = 0;       // how long the connection had been idle before, if reused
    uint32_t nth_request = 1;  // on this connection
    int64_t dns_us = -1;
    int64_t connect_us = -1;     // waits for another request's included; 0 when reused
    int64_t tls_us = -1;         // the handshake; 0 when reused, -1 when not reached or plain
    int64_t send_us = -1;        // request head and body written
    int64_t first_byte_us = -1;  // from request sent to first response byte
    int64_t header_us = -1;      // from request sent to response head complete
    int64_t total_us = -1;       // from request sent (its beginning, if it never was) to the end
    uint64_t bytes_sent = 0;
    uint64_t bytes_received = 0;
    uint32_t header_bytes = 0;  // of the response head
    uint16_t status = 0;        // what the origin said, 0: nothing readable
    Close close = Close::open;
    bool retried = false;      // another attempt followed
    uint16_t tls_version = 0;  // as on the wire: 0x0303 TLSv1.2, 0x0304 TLSv1.3; 0: plain
    bool tls_resumed = false;
    bool http2 = false;
    uint32_t stream_id = 0;   // of the request on an HTTP/2 connection
    bool downgraded = false;  // made over HTTP/1.1 because HTTP/2 had failed
    bool outrun = false;      // given up because another address of the name was quicker
    /// Why the name did not resolve: the address is one of the last that it had. none: it did.
    cause::Cause dns_stale = cause::Cause::none;
    cause::Evidence evidence;  // empty on success

    bool operator==(const Attempt&) const = default;
};

/// The trace (W3C Trace Context) that a request was part of. Its span in it has the Ray ID as id.
struct Trace {
    uint64_t high = 0;  // halves of the trace-id
    uint64_t low = 0;
    uint64_t parent_span = 0;  // whose request it was; 0: the edge began the trace

    explicit operator bool() const { return high != 0 || low != 0; }
    /// 32 lower-case hex digits.
    std::string id() const;
    bool operator==(const Trace&) const = default;
};

/// `Text` is std::string_view while the request is under way and std::string when read back.
template <typename Text>
struct BasicRecord {
    RayId ray;
    RayId parent;  // of a CF-Ray that came with the request; 0: none
    Trace trace;   // none if it was part of none
    base::WallTime start;
    int64_t duration_us = 0;     // until the last response byte was handed to the kernel
    int64_t first_byte_us = -1;  // until the response head was written to the client
    Text colo;
    ip::Endpoint client;
    ip::Endpoint edge;         // the address the client connected to
    Text scheme;               // http or https
    uint16_t tls_version = 0;  // of the client's connection, as in Attempt; 0: plain
    Text tls_cipher;           // as OpenSSL names it; empty: plain
    Text sni;                  // the server name the client asked for; empty: none
    Text protocol;             // HTTP/1.0, HTTP/1.1, HTTP/2
    Text method;
    Text host;
    Text uri;  // path and query
    Text user_agent;
    Text referer;
    Text origin_url;             // the one tried last; empty: none was
    uint64_t request_bytes = 0;  // head and body as received
    uint64_t request_body_bytes = 0;
    uint64_t response_bytes = 0;  // head and body as sent
    uint64_t response_body_bytes = 0;
    uint16_t edge_status = 0;    // what the client was answered (499: it left first)
    uint16_t origin_status = 0;  // 0: no response received
    Text content_type;           // of the response
    cause::Cause cause = cause::Cause::none;
    bool aborted = false;         // the client's connection was cut after the head had gone out
    bool header_warning = false;  // response headers are near the limit
    uint32_t response_header_bytes = 0;
    std::vector<Attempt> attempts;
    cause::Evidence evidence;  // of the final cause; attempts keep their own

    bool operator==(const BasicRecord&) const = default;
};

using RecordView = BasicRecord<std::string_view>;
using Record = BasicRecord<std::string>;

/// Worth a row of its own: it failed, or a retry or a warning hides in it.
template <typename Text>
bool is_case(const BasicRecord<Text>& record) {
    return record.cause != cause::Cause::none || record.attempts.size() > 1 ||
           record.header_warning ||
           (!record.attempts.empty() && record.attempts.front().dns_stale != cause::Cause::none);
}

}  // namespace edgecase::record
