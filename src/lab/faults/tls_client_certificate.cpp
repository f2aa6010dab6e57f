// The origin wants to know who the edge is.
#include <openssl/ssl.h>

#include <array>

#include "lab/faults/faults.hpp"

namespace edgecase::lab::faults {
namespace {

using cause::Cause;

constexpr std::string_view kGood =
    "origin_client_cert = \"{files}/client.pem\"\n"
    "origin_client_key = \"{files}/client-key.pem\"\n";
constexpr std::string_view kStranger =
    "origin_client_cert = \"{files}/stranger.pem\"\n"
    "origin_client_key = \"{files}/stranger-key.pem\"\n";

void demand_certificate(SSL_CTX* context) {
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    // Without it a server that asks for certificates refuses every session that is to be resumed.
    constexpr unsigned char kSessionContext[] = "lab";
    SSL_CTX_set_session_id_context(context, kSessionContext, sizeof kSessionContext - 1);
}

void demand_certificate_in_tls12(SSL_CTX* context) {
    SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    demand_certificate(context);
}

constexpr std::array kScenarios{
    Scenario{.name = "ok-tls-client_cert",
             .status = 200,
             .description = "Demands a client certificate, likes the edge's and answers 200.",
             .target = Target::own,
             .edge_config = kGood,
             .tls = {.configure = demand_certificate},
             .as = "ok"},
    Scenario{.name = "tls.client_cert_required",
             .cause = Cause::tls_client_cert_required,
             .description = "Demands a client certificate; in TLS 1.3 the alert "
                            "certificate_required comes after the edge's handshake.",
             .target = Target::own,
             .tls = {.configure = demand_certificate}},
    Scenario{.name = "tls.client_cert_required-tls12",
             .cause = Cause::tls_client_cert_required,
             .description = "Demands a client certificate in TLS 1.2: the alert handshake_failure.",
             .target = Target::own,
             .tls = {.configure = demand_certificate_in_tls12}},
    Scenario{.name = "tls.client_cert_rejected",
             .cause = Cause::tls_client_cert_rejected,
             .description = "Does not know the CA of the edge's client certificate: the alert "
                            "unknown_ca after the edge's handshake.",
             .target = Target::own,
             .edge_config = kStranger,
             .tls = {.configure = demand_certificate}},
    Scenario{.name = "tls.client_cert_rejected-tls12",
             .cause = Cause::tls_client_cert_rejected,
             .description = "Does the same in TLS 1.2, within the handshake.",
             .target = Target::own,
             .edge_config = kStranger,
             .tls = {.configure = demand_certificate_in_tls12}},
};

}  // namespace

std::span<const Scenario> tls_client_certificate() {
    return kScenarios;
}

}  // namespace edgecase::lab::faults
