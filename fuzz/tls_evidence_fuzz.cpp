// Any bytes as a certificate, and as the first bytes of an origin that may not speak TLS.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "expect.hpp"
#include "tls/certificate_evidence.hpp"
#include "tls/classification.hpp"
#include "tls/openssl.hpp"

namespace {

using namespace edgecase;
using tls::CertificateFacts;

void check_text(std::string_view text) {
    fuzz::expect(text.size() <= CertificateFacts::kMaxText, "text is bounded");
    fuzz::expect(std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; }),
                 "text is printable ASCII");
}

void check_certificate(X509* certificate) {
    constexpr base::WallTime kNow{std::chrono::sys_days(std::chrono::year(2026) / 11 / 24)};
    const CertificateFacts facts = tls::facts_of(certificate, kNow);
    for (const auto& text : {facts.subject, facts.issuer, facts.serial, facts.not_before,
                             facts.not_after, facts.key, facts.signature}) {
        check_text(text);
    }
    fuzz::expect(facts.names.size() <= CertificateFacts::kMaxNames, "names are bounded");
    for (const std::string& name : facts.names) {
        check_text(name);
        fuzz::expect(!name.empty(), "no name is empty");
    }
    (void)tls::names_its_issuer(certificate);
    fuzz::expect(ERR_peek_error() == 0, "no error is left behind");
}

void check_first_bytes(std::string_view bytes) {
    tls::Observations seen{.first_bytes = bytes};
    const bool may_be = tls::may_be_tls(bytes);
    fuzz::expect((tls::classify(seen) == tls::HandshakeFault::peer_plaintext) == !may_be,
                 "what is no TLS is plaintext");
    for (int alert = -1; alert < 256; ++alert) {
        seen.alert_received = alert;
        fuzz::expect(!tls::to_string(tls::classify(seen)).empty(), "every fault has a name");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    check_first_bytes({reinterpret_cast<const char*>(data), std::min<size_t>(size, 64)});
    const unsigned char* at = data;
    const tls::Owned<X509> certificate(d2i_X509(nullptr, &at, static_cast<long>(size)));
    ERR_clear_error();
    if (certificate) check_certificate(certificate.get());
    return 0;
}
