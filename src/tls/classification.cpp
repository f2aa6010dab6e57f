#include "tls/classification.hpp"

#include "tls/openssl.hpp"

namespace edgecase::tls {
namespace {

HandshakeFault of_alert(const Observations& seen) {
    const int alert = seen.alert_received;
    if (!seen.is_client) {
        return alert == SSL_AD_PROTOCOL_VERSION ? HandshakeFault::version : HandshakeFault::alert;
    }
    if (const auto fault =
            client_certificate_fault(alert, seen.client_cert_requested, seen.client_cert_sent)) {
        return *fault;
    }
    switch (alert) {
        case SSL_AD_HANDSHAKE_FAILURE:
            return seen.server_hello_seen ? HandshakeFault::alert
                                          : HandshakeFault::no_shared_cipher;
        case SSL_AD_INSUFFICIENT_SECURITY:
            return HandshakeFault::no_shared_cipher;
        case SSL_AD_PROTOCOL_VERSION:
            return HandshakeFault::version;
        case SSL_AD_UNRECOGNIZED_NAME:
            return HandshakeFault::sni_rejected;
        case SSL_AD_NO_APPLICATION_PROTOCOL:
            return HandshakeFault::no_alpn;
        default:
            return HandshakeFault::alert;
    }
}

HandshakeFault of_socket(const net::Error& error) {
    return error.kind == net::ErrorKind::timed_out ? HandshakeFault::timeout : HandshakeFault::rst;
}

HandshakeFault of_reason(int reason) {
    switch (reason) {
        case SSL_R_UNSUPPORTED_PROTOCOL:
        case SSL_R_UNSUPPORTED_SSL_VERSION:
        case SSL_R_UNKNOWN_PROTOCOL:
        case SSL_R_UNKNOWN_SSL_VERSION:
        case SSL_R_WRONG_SSL_VERSION:
        case SSL_R_WRONG_VERSION_NUMBER:
        case SSL_R_VERSION_TOO_LOW:
        case SSL_R_VERSION_TOO_HIGH:
        case SSL_R_NO_PROTOCOLS_AVAILABLE:
        case SSL_R_INAPPROPRIATE_FALLBACK:
            return HandshakeFault::version;
        case SSL_R_NO_SHARED_CIPHER:
        case SSL_R_NO_CIPHERS_AVAILABLE:
        case SSL_R_NO_SUITABLE_GROUPS:
        case SSL_R_NO_SUITABLE_KEY_SHARE:
        case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
        case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
            return HandshakeFault::no_shared_cipher;
        case SSL_R_NO_APPLICATION_PROTOCOL:
            return HandshakeFault::no_alpn;
        case SSL_R_EE_KEY_TOO_SMALL:
        case SSL_R_CA_KEY_TOO_SMALL:
        case SSL_R_CA_MD_TOO_WEAK:
            return HandshakeFault::cert_weak;
        case SSL_R_HTTP_REQUEST:
        case SSL_R_HTTPS_PROXY_REQUEST:
            return HandshakeFault::peer_plaintext;
        default:
            return HandshakeFault::protocol_error;
    }
}

}  // namespace

bool may_be_tls(std::string_view bytes) {
    if (bytes.empty()) return true;
    const auto at = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
    if (at(0) >= SSL3_RT_CHANGE_CIPHER_SPEC && at(0) <= SSL3_RT_APPLICATION_DATA) return true;
    constexpr unsigned char kSsl2ClientHello = 1;
    return bytes.size() > 2 && (at(0) & 0x80) != 0 && at(2) == kSsl2ClientHello;
}

std::optional<HandshakeFault> client_certificate_fault(int alert, bool requested, bool sent) {
    switch (alert) {
        case SSL_AD_CERTIFICATE_REQUIRED:
            return HandshakeFault::client_cert_required;
        case SSL_AD_HANDSHAKE_FAILURE:
            if (requested && !sent) return HandshakeFault::client_cert_required;
            return std::nullopt;
        case SSL_AD_BAD_CERTIFICATE:
        case SSL_AD_UNSUPPORTED_CERTIFICATE:
        case SSL_AD_CERTIFICATE_REVOKED:
        case SSL_AD_CERTIFICATE_EXPIRED:
        case SSL_AD_CERTIFICATE_UNKNOWN:
        case SSL_AD_UNKNOWN_CA:
        case SSL_AD_ACCESS_DENIED:
            if (!requested) return std::nullopt;
            return sent ? HandshakeFault::client_cert_rejected
                        : HandshakeFault::client_cert_required;
        default:
            return std::nullopt;
    }
}

HandshakeFault classify(const Observations& seen) {
    if (seen.wait_error && seen.wait_error->kind == net::ErrorKind::cancelled) {
        return HandshakeFault::cancelled;
    }
    if (!may_be_tls(seen.first_bytes)) return HandshakeFault::peer_plaintext;
    if (seen.wait_error) return HandshakeFault::timeout;
    if (seen.verdict) return *seen.verdict;
    if (seen.alert_received >= 0) return of_alert(seen);
    if (seen.read_error) return of_socket(*seen.read_error);
    if (seen.got_fin) return HandshakeFault::fin;
    if (seen.write_error) return of_socket(*seen.write_error);
    return of_reason(seen.reason);
}

std::string_view to_string(HandshakeFault fault) {
    switch (fault) {
        case HandshakeFault::peer_plaintext:
            return "peer_plaintext";
        case HandshakeFault::fin:
            return "fin";
        case HandshakeFault::rst:
            return "rst";
        case HandshakeFault::timeout:
            return "timeout";
        case HandshakeFault::version:
            return "version";
        case HandshakeFault::no_shared_cipher:
            return "no_shared_cipher";
        case HandshakeFault::no_alpn:
            return "no_alpn";
        case HandshakeFault::sni_rejected:
            return "sni_rejected";
        case HandshakeFault::alert:
            return "alert";
        case HandshakeFault::protocol_error:
            return "protocol_error";
        case HandshakeFault::client_cert_required:
            return "client_cert_required";
        case HandshakeFault::client_cert_rejected:
            return "client_cert_rejected";
        case HandshakeFault::cert_expired:
            return "cert_expired";
        case HandshakeFault::cert_not_yet_valid:
            return "cert_not_yet_valid";
        case HandshakeFault::cert_name:
            return "cert_name";
        case HandshakeFault::cert_unknown_ca:
            return "cert_unknown_ca";
        case HandshakeFault::cert_self_signed:
            return "cert_self_signed";
        case HandshakeFault::cert_incomplete_chain:
            return "cert_incomplete_chain";
        case HandshakeFault::cert_weak:
            return "cert_weak";
        case HandshakeFault::cert_bad_purpose:
            return "cert_bad_purpose";
        case HandshakeFault::cert_invalid:
            return "cert_invalid";
        case HandshakeFault::cancelled:
            return "cancelled";
        case HandshakeFault::internal:
            return "internal";
    }
    return "internal";
}

}  // namespace edgecase::tls
