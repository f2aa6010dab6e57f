#include "base/sample.hpp"
#include "origin/transport_failure.hpp"

namespace edgecase::origin {
namespace {

using cause::Cause;
using cause::Evidence;
using cause::Failure;
using tls::HandshakeFault;

Cause cause_of(HandshakeFault fault) {
    switch (fault) {
        case HandshakeFault::peer_plaintext:
            return Cause::tls_peer_plaintext;
        case HandshakeFault::fin:
            return Cause::tls_fin;
        case HandshakeFault::rst:
            return Cause::tls_rst;
        case HandshakeFault::timeout:
            return Cause::tls_timeout;
        case HandshakeFault::version:
            return Cause::tls_version;
        case HandshakeFault::no_shared_cipher:
            return Cause::tls_no_shared_cipher;
        case HandshakeFault::no_alpn:
            return Cause::tls_no_alpn;
        case HandshakeFault::sni_rejected:
            return Cause::tls_sni_rejected;
        case HandshakeFault::alert:
            return Cause::tls_alert;
        case HandshakeFault::protocol_error:
            return Cause::tls_protocol_error;
        case HandshakeFault::client_cert_required:
            return Cause::tls_client_cert_required;
        case HandshakeFault::client_cert_rejected:
            return Cause::tls_client_cert_rejected;
        case HandshakeFault::cert_expired:
            return Cause::tls_cert_expired;
        case HandshakeFault::cert_not_yet_valid:
            return Cause::tls_cert_not_yet_valid;
        case HandshakeFault::cert_name:
            return Cause::tls_cert_name;
        case HandshakeFault::cert_unknown_ca:
            return Cause::tls_cert_unknown_ca;
        case HandshakeFault::cert_self_signed:
            return Cause::tls_cert_self_signed;
        case HandshakeFault::cert_incomplete_chain:
            return Cause::tls_cert_incomplete_chain;
        case HandshakeFault::cert_weak:
            return Cause::tls_cert_weak;
        case HandshakeFault::cert_bad_purpose:
            return Cause::tls_cert_bad_purpose;
        case HandshakeFault::cert_invalid:
            return Cause::tls_cert_invalid;
        case HandshakeFault::cancelled:
        case HandshakeFault::internal:
            break;
    }
    return Cause::edge_internal;
}

void add_certificate(Evidence& evidence, const tls::CertificateFacts& certificate) {
    evidence.add("certificate_subject", certificate.subject);
    evidence.add("certificate_issuer", certificate.issuer);
    evidence.add("certificate_names", certificate.names);
    evidence.add("certificate_not_before", certificate.not_before);
    evidence.add("certificate_not_after", certificate.not_after);
    evidence.add("certificate_days_left", certificate.days_left);
    evidence.add("certificate_key", certificate.key);
    evidence.add("certificate_signature", certificate.signature);
    evidence.add("certificate_serial", certificate.serial);
    evidence.add("chain_length", certificate.chain_length);
    evidence.add("chain_depth", certificate.depth);
}

}  // namespace

Failure handshake_failure(const tls::HandshakeError& error, const ip::Endpoint& to,
                          std::chrono::milliseconds limit) {
    Evidence evidence;
    evidence.add("origin", to.to_string());
    evidence.add("elapsed_ms", base::milliseconds(error.elapsed));
    if (!error.wanted_name.empty()) evidence.add("wanted_name", error.wanted_name);
    if (!error.facts.sni.empty()) evidence.add("sni", error.facts.sni);
    if (!error.alert.empty()) {
        evidence.add("tls_alert", error.alert);
        evidence.add("tls_alert_number", error.alert_number);
        evidence.add("tls_alert_from", error.alert_received ? "origin" : "edge");
    }
    if (!error.facts.version.empty()) evidence.add("tls_version", error.facts.version);
    if (!error.facts.cipher.empty()) evidence.add("tls_cipher", error.facts.cipher);
    if (error.facts.client_cert_requested) {
        evidence.add("client_cert_requested", true);
        evidence.add("client_cert_sent", error.facts.client_cert_sent);
    }
    if (!error.state.empty()) evidence.add("tls_state", error.state);
    if (!error.detail.empty()) evidence.add("tls_detail", error.detail);
    if (error.error.number != 0) evidence.add("errno", error.error.name());
    if (error.fault == HandshakeFault::timeout) evidence.add("limit_ms", limit.count());
    if (!error.first_bytes.empty()) {
        evidence.add("sample", base::cut_sample(error.first_bytes, 0, 0));
    }
    if (error.facts.certificate) add_certificate(evidence, *error.facts.certificate);
    return Failure(cause_of(error.fault), std::move(evidence));
}

}  // namespace edgecase::origin
