// The TLS handshake does not come to its end.
#include <openssl/ssl.h>

#include <array>

#include "lab/faults/faults.hpp"

namespace edgecase::lab::faults {
namespace {

using cause::Cause;
using namespace std::string_view_literals;

void speak_only_tls11(SSL_CTX* context) {
    SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
}

/// Suites without a certificate, which no browser or proxy offers.
void take_only_anonymous_suites(SSL_CTX* context) {
    SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(context, "AECDH:@SECLEVEL=0");
}

/// A suite of TLS 1.3 that OpenSSL does not offer by itself.
void take_only_ccm8(SSL_CTX* context) {
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    SSL_CTX_set_ciphersuites(context, "TLS_AES_128_CCM_8_SHA256");
}

/// The port's key is RSA; its certificate is never shown.
void take_only_ecdsa_suites(SSL_CTX* context) {
    SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(context, "ECDHE-ECDSA-AES128-GCM-SHA256:@SECLEVEL=0");
}

int refuse_unknown_name(SSL* state, int* alert, void*) {
    const char* const name = SSL_get_servername(state, TLSEXT_NAMETYPE_host_name);
    if (name == nullptr || "unknown.example"sv != name) return SSL_TLSEXT_ERR_NOACK;
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

void know_few_names(SSL_CTX* context) {
    SSL_CTX_set_tlsext_servername_callback(context, refuse_unknown_name);
}

constexpr std::array kScenarios{
    Scenario{.name = "tls.peer_plaintext",
             .cause = Cause::tls_peer_plaintext,
             .status = 525,
             .description = "Answers a ClientHello with 400 in plain HTTP, as nginx does.",
             .target = Target::own,
             .tls = {.is_raw = true},
             .bytes = "HTTP/1.1 400 Bad Request\r\nServer: nginx\r\nContent-Length: 0\r\n"
                      "Connection: close\r\n\r\n"},
    Scenario{.name = "tls.peer_plaintext-ssh",
             .cause = Cause::tls_peer_plaintext,
             .status = 525,
             .description = "Answers a ClientHello with an SSH banner.",
             .target = Target::own,
             .tls = {.is_raw = true},
             .bytes = "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"},
    Scenario{.name = "tls.fin",
             .cause = Cause::tls_fin,
             .status = 525,
             .description = "Reads the ClientHello and sends FIN.",
             .target = Target::own,
             .tls = {.is_raw = true}},
    Scenario{.name = "tls.rst",
             .cause = Cause::tls_rst,
             .status = 525,
             .description = "Reads the ClientHello and sends RST.",
             .target = Target::own,
             .tls = {.is_raw = true},
             .ending = Ending::rst},
    Scenario{.name = "tls.timeout",
             .cause = Cause::tls_timeout,
             .status = 525,
             .description = "Reads the ClientHello and never answers it.",
             .target = Target::own,
             .tls = {.is_raw = true},
             .ending = Ending::hang},
    Scenario{.name = "tls.version",
             .cause = Cause::tls_version,
             .status = 525,
             .description = "Speaks TLS 1.1 at most: the alert protocol_version.",
             .target = Target::own,
             .tls = {.configure = speak_only_tls11}},
    Scenario{.name = "tls.version-server_hello",
             .cause = Cause::tls_version,
             .status = 525,
             .description = "Answers any ClientHello with a ServerHello of TLS 1.0.",
             .target = Target::own,
             .tls = {.is_raw = true},
             .bytes = "\x16\x03\x01\x00\x2a\x02\x00\x00\x26\x03\x01"
                      "an old server's not very random!"
                      "\x00\xc0\x09\x00"sv},
    Scenario{.name = "tls.no_shared_cipher",
             .cause = Cause::tls_no_shared_cipher,
             .status = 525,
             .description = "Takes only anonymous suites of TLS 1.2: the alert handshake_failure.",
             .target = Target::own,
             .tls = {.configure = take_only_anonymous_suites}},
    Scenario{.name = "tls.no_shared_cipher-tls13",
             .cause = Cause::tls_no_shared_cipher,
             .status = 525,
             .description = "Takes only TLS_AES_128_CCM_8_SHA256: the alert handshake_failure.",
             .target = Target::own,
             .tls = {.configure = take_only_ccm8}},
    Scenario{.name = "tls.no_shared_cipher-certificate",
             .cause = Cause::tls_no_shared_cipher,
             .status = 525,
             .description = "Has an RSA key and takes only ECDSA suites.",
             .target = Target::own,
             .tls = {.certificate = Certificate::weak_key, .configure = take_only_ecdsa_suites}},
    Scenario{.name = "tls.no_alpn",
             .cause = Cause::tls_no_alpn,
             .status = 525,
             .description = "Takes none of the protocols offered: the alert "
                            "no_application_protocol.",
             .target = Target::own,
             .tls = {.alpn = Alpn::none}},
    Scenario{.name = "tls.sni_rejected",
             .cause = Cause::tls_sni_rejected,
             .status = 525,
             .description = "Does not know the name unknown.example: the alert unrecognized_name.",
             .target = Target::own,
             .origin_name = "unknown.example",
             .tls = {.configure = know_few_names}},
    Scenario{.name = "tls.alert",
             .cause = Cause::tls_alert,
             .status = 525,
             .description = "Answers a ClientHello with the fatal alert internal_error.",
             .target = Target::own,
             .tls = {.is_raw = true},
             .bytes = "\x15\x03\x03\x00\x02\x02\x50"sv},
    Scenario{.name = "tls.protocol_error",
             .cause = Cause::tls_protocol_error,
             .status = 525,
             .description = "Answers a ClientHello with a handshake message of no known type.",
             .target = Target::own,
             .tls = {.is_raw = true},
             .bytes = "\x16\x03\x03\x00\x0c\x99\x00\x00\x08nonsense"sv},
    Scenario{.name = "tls.protocol_error-server_hello",
             .cause = Cause::tls_protocol_error,
             .status = 525,
             .description = "Answers a ClientHello with a ServerHello that breaks off into "
                            "nonsense.",
             .target = Target::own,
             .tls = {.is_raw = true},
             .bytes = "\x16\x03\x03\x00\x2c\x02\x00\x00\x28\x03\x03"
                      "thirty-two bytes, nearly random!"
                      "\xff\xff\xff\xff\xff\xff"sv},
};

}  // namespace

std::span<const Scenario> tls_handshake() {
    return kScenarios;
}

}  // namespace edgecase::lab::faults
