// Owns the description of a TLS port of the lab: what it shows, and what it agrees to.
#pragma once

#include <cstdint>

struct ssl_ctx_st;

namespace edgecase::lab {

class Connection;

/// What a TLS port shows; all but the first are wrong in one way.
enum class Certificate : uint8_t {
    good,  // for localhost, lab.test, *.lab.test, 127.0.0.1, ::1 and the lab's own address
    expired,
    expired_intermediate,
    not_yet_valid,
    self_signed,
    unknown_ca,          // leaf and root are sent, and nobody knows the root
    unknown_ca_no_root,  // leaf and intermediate are sent, and nobody knows the root above
    incomplete_chain,    // the intermediate is not sent
    wrong_name,
    common_name_only,   // the right name, but not as subjectAltName
    weak_key,           // RSA with 1024 bits
    weak_signature,     // SHA-1
    bad_purpose,        // for TLS clients only
    unknown_extension,  // a critical extension that nobody knows
};

inline constexpr uint8_t kCertificates = static_cast<uint8_t>(Certificate::unknown_extension) + 1;

/// What a TLS port agrees to when a client offers protocols (RFC 7301).
enum class Alpn : uint8_t {
    http1,    // http/1.1, or none if that is not offered
    h2,       // h2, else http/1.1
    h2_only,  // h2, else the alert no_application_protocol
    none,     // always the alert no_application_protocol
};

/// How a TLS port meets its clients.
struct TlsPort {
    bool is_raw = false;  // no handshake: the scenario's `bytes` and `ending` answer a ClientHello
    Certificate certificate = Certificate::good;
    Alpn alpn = Alpn::http1;
    void (*configure)(ssl_ctx_st*) = nullptr;  // what else is wrong with the port
    void (*admit)(Connection&) = nullptr;      // after the handshake, instead of HTTP

    bool takes_h2() const { return alpn == Alpn::h2 || alpn == Alpn::h2_only; }
};

}  // namespace edgecase::lab
