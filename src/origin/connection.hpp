// Owns one connection to an origin and its history.
#pragma once

#include <cstdint>

#include "base/clock.hpp"
#include "ip/endpoint.hpp"
#include "net/stream.hpp"

namespace edgecase::origin {

struct Connection {
    net::Stream stream;
    uint64_t id = 0;  // unique in one worker's run
    ip::Endpoint origin;
    ip::Endpoint edge;  // the source address used
    base::SteadyTime opened;
    base::SteadyTime idle_since;
    uint32_t requests = 0;          // begun on it, the present one included
    bool last_had_no_body = false;  // its last response was one to HEAD, or a 204 or 304
    uint64_t bytes_before = 0;      // written before the present request

    uint16_t tls_version = 0;  // 0x0304 is TLS 1.3; 0: plain
    bool tls_resumed = false;
    bool client_cert_requested = false;  // in the handshake
    bool client_cert_sent = false;
    uint32_t stream_id = 0;  // the HTTP/2 stream; 0: HTTP/1.1
    bool rested = true;      // no other request was under way on it when this one began

    bool reused() const { return requests > 1; }
};

}  // namespace edgecase::origin
