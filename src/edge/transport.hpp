// Owns what a client's connection is made of below its requests.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace edgecase::edge {

struct Transport {
    uint16_t tls_version = 0;  // 0x0304 is TLS 1.3; 0: plain
    std::string tls_cipher;
    std::string sni;
    bool http2 = false;

    bool is_tls() const { return tls_version != 0; }
};

/// Shared by the streams of one HTTP/2 connection; null is plain HTTP/1.1.
using SharedTransport = std::shared_ptr<const Transport>;

}  // namespace edgecase::edge
