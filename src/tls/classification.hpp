// Owns the translation of a broken handshake, as observed, into its fault.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tls/handshake_error.hpp"

namespace edgecase::tls {

/// What was seen of a handshake that did not come to its end.
struct Observations {
    bool is_client = true;
    bool server_hello_seen = false;
    bool client_cert_requested = false;
    bool client_cert_sent = false;
    int alert_received = -1;
    std::string_view first_bytes{};
    std::optional<HandshakeFault> verdict{};  // on the certificate, if it was rejected
    std::optional<net::Error> wait_error{};   // ours: deadline, cancelled
    std::optional<net::Error> read_error{};
    std::optional<net::Error> write_error{};
    bool got_fin = false;
    int reason = 0;  // OpenSSL's, of the library SSL; 0: none
};

HandshakeFault classify(const Observations& seen);

/// Whether `bytes` may begin a TLS record, or a ClientHello of SSL 2; also true when there are
/// none.
bool may_be_tls(std::string_view bytes);

/// A fault that an alert tells about our client certificate; nullopt if it is about something else.
/// Source: RFC 8446 section 6.2, and what Go, Java and OpenSSL send without a certificate.
std::optional<HandshakeFault> client_certificate_fault(int alert, bool requested, bool sent);

}  // namespace edgecase::tls
