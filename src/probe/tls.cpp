#include <array>

#include "origin/dialer.hpp"
#include "origin/transport_failure.hpp"
#include "probe/probes.hpp"
#include "tls/handshake.hpp"

namespace edgecase::probe {
namespace {

constexpr int64_t kFewDays = 14;  // a certificate's left: renewals come earlier

using Shaken = std::expected<tls::HandshakeFacts, cause::Failure>;

/// A handshake of its own, closed afterwards. Null: no connection was made.
net::Task<std::optional<Shaken>> shake(Session& session, tls::ClientContext& context,
                                       bool offer_h2) {
    if (!co_await session.budget().take()) co_return std::nullopt;
    const auto& settings = session.settings();
    origin::Dialer dialer(session.loop(), settings);
    std::vector<ip::Address> addresses;
    for (const AddressFacts& one : session.facts().addresses) addresses.push_back(one.address);
    if (addresses.empty()) co_return std::nullopt;
    record::Attempt attempt;
    std::vector<record::Attempt> others;
    auto stream =
        co_await dialer.dial(addresses, session.port(), base::Deadline::never(), attempt, others);
    if (!stream) co_return std::nullopt;
    const std::string name(session.tls_name());
    auto facts = co_await tls::connect(*stream, context, name, "doctor " + name, offer_h2,
                                       session.loop().after(settings.timeouts.tls_handshake));
    if (facts) co_return Shaken(std::move(*facts));
    co_return Shaken(std::unexpected(
        origin::handshake_failure(facts.error(), attempt.origin, settings.timeouts.tls_handshake)));
}

std::string_view alpn_text(tls::Alpn alpn) {
    switch (alpn) {
        case tls::Alpn::none:
            return "none";
        case tls::Alpn::http1:
            return "http/1.1";
        case tls::Alpn::h2:
            return "h2";
    }
    return "";
}

net::Task<bool> agrees_to_tls12(Session& session) {
    const config::OriginTls& wanted = session.settings().origin_tls;
    auto older = tls::ClientContext::create({.verify = false,
                                             .ca_file = wanted.ca_file,
                                             .certificate_file = wanted.certificate_file,
                                             .key_file = wanted.key_file,
                                             .maximum_version = 0x0303});
    if (!older) co_return false;
    const auto shaken = co_await shake(session, **older, false);
    co_return shaken && shaken->has_value();
}

Report report_of(const TlsFacts& facts) {
    Report report{.name = "tls", .state = Report::State::good, .summary = {}, .facts = {}};
    report.summary = facts.version + ", ALPN " + facts.alpn;
    report.facts.add("version", facts.version).add("cipher", facts.cipher);
    report.facts.add("alpn", facts.alpn).add("tls12", facts.tls12);
    report.facts.add("client_cert_requested", facts.client_cert_requested);
    if (facts.certificate) {
        const tls::CertificateFacts& one = *facts.certificate;
        report.facts.add("certificate_subject", one.subject);
        report.facts.add("certificate_issuer", one.issuer);
        report.facts.add("certificate_names", one.names);
        report.facts.add("certificate_not_after", one.not_after);
        report.facts.add("certificate_days_left", one.days_left);
        report.facts.add("certificate_key", one.key);
        report.summary += one.days_left < 0
                              ? ", a certificate that has ended"
                              : ", certificate for " + std::to_string(one.days_left) + " more days";
        if (one.days_left <= kFewDays) report.state = Report::State::advice;
    }
    report.summary += ".";
    if (facts.client_cert_requested) {
        report.summary += " It asks for a client certificate.";
        report.state = Report::State::advice;
    }
    return report;
}

}  // namespace

net::Task<void> probe_tls(Session& session) {
    if (session.tls() == nullptr) {
        session.report({.name = "tls",
                        .state = Report::State::skipped,
                        .summary = "The origin is asked over plain HTTP.",
                        .facts = {}});
        co_return;
    }
    const auto shaken =
        co_await shake(session, *session.tls(), session.settings().origin_tls.http2);
    if (!shaken) {
        session.report({.name = "tls", .summary = "No connection was made.", .facts = {}});
        co_return;
    }
    if (!shaken->has_value()) {
        const cause::Failure& failure = shaken->error();
        session.report({.name = "tls",
                        .state = Report::State::bad,
                        .summary = std::string(failure.row().reason),
                        .facts = failure.evidence()});
        co_return;
    }
    const tls::HandshakeFacts& found = **shaken;
    TlsFacts facts;
    facts.version = found.version;
    facts.cipher = found.cipher;
    facts.alpn = alpn_text(found.alpn);
    facts.client_cert_requested = found.client_cert_requested;
    facts.certificate = found.certificate;
    facts.tls12 = found.version == "TLSv1.2" || co_await agrees_to_tls12(session);
    session.report(report_of(facts));
    session.facts().tls = std::move(facts);
}

}  // namespace edgecase::probe
