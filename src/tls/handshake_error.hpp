// Owns what a TLS handshake came to: the facts of a good one, and why it did not get there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "net/error.hpp"
#include "tls/certificate_evidence.hpp"

namespace edgecase::tls {

/// The protocol agreed on (RFC 7301).
enum class Alpn : uint8_t { none, http1, h2 };

struct HandshakeFacts {
    std::string version;  // "TLSv1.3"
    std::string cipher;   // "TLS_AES_256_GCM_SHA384"
    Alpn alpn = Alpn::none;
    bool resumed = false;
    std::string sni;
    bool client_cert_requested = false;
    bool client_cert_sent = false;
    /// The origin's; after a failed verification that of the certificate it failed on, with the
    /// names of the leaf.
    std::optional<CertificateFacts> certificate;
};

enum class HandshakeFault : uint8_t {
    peer_plaintext,  // the other side does not speak TLS
    fin,
    rst,
    timeout,
    version,
    no_shared_cipher,
    no_alpn,
    sni_rejected,
    alert,           // another alert from the other side
    protocol_error,  // the other side broke TLS, or its certificate and ours cannot be used
    client_cert_required,
    client_cert_rejected,
    cert_expired,
    cert_not_yet_valid,
    cert_name,
    cert_unknown_ca,
    cert_self_signed,
    cert_incomplete_chain,
    cert_weak,
    cert_bad_purpose,
    cert_invalid,  // another rule of RFC 5280
    cancelled,
    internal,
};
std::string_view to_string(HandshakeFault fault);

struct HandshakeError {
    HandshakeFault fault = HandshakeFault::internal;
    std::string alert;      // "handshake_failure"; empty: there was none
    int alert_number = -1;  // as sent or received
    bool alert_received = false;
    std::string detail;       // OpenSSL's words
    std::string state;        // of the handshake, in OpenSSL's words, when it last made progress
    std::string first_bytes;  // raw, at most 64, of the other side
    net::Error error{net::ErrorKind::layer};  // the socket's, where that is what ended it
    HandshakeFacts facts;                     // as far as they are known
    std::string wanted_name;                  // what the certificate should have been for
    base::Duration elapsed{};
};

}  // namespace edgecase::tls
