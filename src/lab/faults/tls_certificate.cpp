// The handshake would work, if only the certificate could be trusted.
#include <array>

#include "lab/faults/faults.hpp"

namespace edgecase::lab::faults {
namespace {

using cause::Cause;

constexpr Scenario shown(std::string_view name, Cause cause, Certificate certificate,
                         std::string_view description) {
    return {.name = name,
            .cause = cause,
            .status = 526,
            .description = description,
            .target = Target::own,
            .tls = {.certificate = certificate}};
}

constexpr std::array kScenarios{
    shown("tls.cert.expired", Cause::tls_cert_expired, Certificate::expired,
          "Shows a certificate that expired ten days ago."),
    shown("tls.cert.expired-intermediate", Cause::tls_cert_expired,
          Certificate::expired_intermediate,
          "Shows a valid certificate below an intermediate that has expired."),
    shown("tls.cert.not_yet_valid", Cause::tls_cert_not_yet_valid, Certificate::not_yet_valid,
          "Shows a certificate that becomes valid in ten days."),
    shown("tls.cert.name", Cause::tls_cert_name, Certificate::wrong_name,
          "Shows a certificate for other.example."),
    shown("tls.cert.name-common_name", Cause::tls_cert_name, Certificate::common_name_only,
          "Shows a certificate with the right name as common name only."),
    shown("tls.cert.unknown_ca", Cause::tls_cert_unknown_ca, Certificate::unknown_ca,
          "Shows a certificate below a root that nobody knows, and the root."),
    shown("tls.cert.unknown_ca-no_root", Cause::tls_cert_unknown_ca,
          Certificate::unknown_ca_no_root,
          "Shows certificate and intermediate below a root that nobody knows."),
    shown("tls.cert.self_signed", Cause::tls_cert_self_signed, Certificate::self_signed,
          "Shows a certificate signed by itself."),
    shown("tls.cert.incomplete_chain", Cause::tls_cert_incomplete_chain,
          Certificate::incomplete_chain,
          "Shows its certificate without the intermediate, which its AIA field names."),
    shown("tls.cert.weak", Cause::tls_cert_weak, Certificate::weak_key,
          "Shows a certificate with an RSA key of 1024 bits."),
    shown("tls.cert.weak-sha1", Cause::tls_cert_weak, Certificate::weak_signature,
          "Shows a certificate signed with SHA-1."),
    shown("tls.cert.bad_purpose", Cause::tls_cert_bad_purpose, Certificate::bad_purpose,
          "Shows a certificate that is for TLS clients only."),
    shown("tls.cert.invalid", Cause::tls_cert_invalid, Certificate::unknown_extension,
          "Shows a certificate with a critical extension that nobody knows."),
};

}  // namespace

std::span<const Scenario> tls_certificate() {
    return kScenarios;
}

}  // namespace edgecase::lab::faults
