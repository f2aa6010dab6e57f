// Owns the judgement on an origin's certificate.
#pragma once

#include <string>

#include "tls/handshake_error.hpp"
#include "tls/openssl.hpp"

namespace edgecase::tls {

/// The objection that counts; the first to be named where there are several.
struct Verdict {
    int code = X509_V_OK;
    HandshakeFault fault = HandshakeFault::cert_invalid;
    Owned<X509> certificate;  // what it is about
    Owned<X509> leaf;
    unsigned depth = 0;
    unsigned chain_length = 0;

    bool is_rejected() const { return code != X509_V_OK; }
    /// OpenSSL's words.
    std::string detail() const { return X509_verify_cert_error_string(code); }
};

/// Judges what `context` holds, collecting every objection. Trust anchors, time, wanted name and
/// security level are those of `context`.
///
/// A missing issuer has two names. cert_incomplete_chain: it is the leaf's own issuer that is
/// missing, and the leaf says where that can be fetched (AIA caIssuers), which is how public CAs
/// mark what an intermediate signed. cert_unknown_ca: everything else, as a root need not be sent.
Verdict verify(X509_STORE_CTX* context);

}  // namespace edgecase::tls
