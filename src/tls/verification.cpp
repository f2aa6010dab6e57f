#include "tls/verification.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace edgecase::tls {
namespace {

/// Lower is named first: dates explain most about an old certificate, a name the least about a
/// foreign one.
std::ptrdiff_t rank_of(HandshakeFault fault) {
    constexpr std::array kFirst{
        HandshakeFault::cert_expired,          HandshakeFault::cert_not_yet_valid,
        HandshakeFault::cert_self_signed,      HandshakeFault::cert_unknown_ca,
        HandshakeFault::cert_incomplete_chain, HandshakeFault::cert_weak,
        HandshakeFault::cert_bad_purpose,      HandshakeFault::cert_name,
    };
    return std::ranges::find(kFirst, fault) - kFirst.begin();
}

HandshakeFault fault_of(int code, int depth, X509* certificate) {
    switch (code) {
        case X509_V_ERR_CERT_HAS_EXPIRED:
            return HandshakeFault::cert_expired;
        case X509_V_ERR_CERT_NOT_YET_VALID:
            return HandshakeFault::cert_not_yet_valid;
        case X509_V_ERR_HOSTNAME_MISMATCH:
        case X509_V_ERR_IP_ADDRESS_MISMATCH:
            return HandshakeFault::cert_name;
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
            return HandshakeFault::cert_self_signed;
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
            return depth == 0 && certificate != nullptr && names_its_issuer(certificate)
                       ? HandshakeFault::cert_incomplete_chain
                       : HandshakeFault::cert_unknown_ca;
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        case X509_V_ERR_CERT_UNTRUSTED:
            return HandshakeFault::cert_unknown_ca;
        case X509_V_ERR_EE_KEY_TOO_SMALL:
        case X509_V_ERR_CA_KEY_TOO_SMALL:
        case X509_V_ERR_CA_MD_TOO_WEAK:
            return HandshakeFault::cert_weak;
        case X509_V_ERR_INVALID_PURPOSE:
            return HandshakeFault::cert_bad_purpose;
        default:
            return HandshakeFault::cert_invalid;
    }
}

Owned<X509> shared(X509* certificate) {
    if (certificate != nullptr) X509_up_ref(certificate);
    return Owned<X509>(certificate);
}

// The callback of an X509_STORE_CTX has no argument of its own.
thread_local Verdict* collecting = nullptr;

int collect(int ok, X509_STORE_CTX* context) {
    if (ok == 1 || collecting == nullptr) return ok;
    Verdict& verdict = *collecting;
    const int code = X509_STORE_CTX_get_error(context);
    const int depth = X509_STORE_CTX_get_error_depth(context);
    X509* const certificate = X509_STORE_CTX_get_current_cert(context);
    const HandshakeFault fault = fault_of(code, depth, certificate);
    if (!verdict.is_rejected() || rank_of(fault) < rank_of(verdict.fault)) {
        verdict.code = code;
        verdict.fault = fault;
        verdict.certificate = shared(certificate);
        verdict.depth = static_cast<unsigned>(depth);
    }
    return 1;  // so that the other objections are heard too
}

}  // namespace

Verdict verify(X509_STORE_CTX* context) {
    Verdict verdict;
    verdict.leaf = shared(X509_STORE_CTX_get0_cert(context));
    const int sent = sk_X509_num(X509_STORE_CTX_get0_untrusted(context));
    verdict.chain_length = sent > 0 ? static_cast<unsigned>(sent) : 1;
    X509_STORE_CTX_set_verify_cb(context, collect);
    collecting = &verdict;
    const int verified = X509_verify_cert(context);
    collecting = nullptr;
    if (verified != 1 && !verdict.is_rejected()) {
        const int code = X509_STORE_CTX_get_error(context);
        verdict.code = code != X509_V_OK ? code : X509_V_ERR_UNSPECIFIED;
        verdict.certificate = shared(verdict.leaf.get());
    }
    return verdict;
}

}  // namespace edgecase::tls
