// Owns what a case file tells about a certificate.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"

struct x509_st;

namespace edgecase::tls {

/// Certificate chain facts for evidence. All text is printable ASCII.
struct CertificateFacts {
    std::string subject;                // RFC 4514, at most kMaxText bytes, as is the issuer
    std::string issuer;                 //
    std::string serial;                 // hex
    std::vector<std::string> names;     // subjectAltName, DNS and IP, at most kMaxNames; the leaf's
    std::string not_before, not_after;  // ISO 8601 UTC
    int64_t days_left = 0;      // whole days until not_after; negative (since) once it has passed
    std::string key;            // "RSA 1024", "EC P-256"
    std::string signature;      // "ecdsa-with-SHA256"
    unsigned chain_length = 0;  // certificates that were sent
    unsigned depth = 0;         // of the certificate that this tells about; 0 is the leaf

    static constexpr size_t kMaxNames = 32;
    static constexpr size_t kMaxText = 512;
};

/// Of this certificate alone: chain_length and depth are the caller's to set.
CertificateFacts facts_of(x509_st* certificate, base::WallTime now);

/// DNS names and IP addresses of the subjectAltName, at most `limit`.
std::vector<std::string> names_of(x509_st* certificate, size_t limit);

/// Whether the certificate says where its issuer's can be fetched (AIA caIssuers, RFC
/// 5280 4.2.2.1): public CAs write this into what an intermediate signs.
bool names_its_issuer(x509_st* certificate);

}  // namespace edgecase::tls
