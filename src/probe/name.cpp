#include "probe/probes.hpp"

namespace edgecase::probe {

net::Task<void> probe_name(Session& session) {
    const std::string& host = session.url().host;
    Report report{.name = "name", .state = Report::State::good, .summary = {}, .facts = {}};
    const base::SteadyTime begin = session.loop().clock().now();
    const auto resolved = co_await session.resolver().resolve(
        host, session.loop().after(session.settings().timeouts.dns));
    const base::Duration elapsed = session.loop().clock().now() - begin;
    if (!resolved) {
        const cause::Failure failure = origin::dns_failure(resolved.error(), host, elapsed);
        report.state = Report::State::bad;
        report.summary = failure.row().reason;
        report.facts = failure.evidence();
        session.report(std::move(report));
        co_return;
    }
    std::vector<std::string> texts;
    for (const ip::Address& address : resolved->addresses) {
        texts.push_back(address.to_string());
        session.facts().addresses.push_back({.address = address});
    }
    if (texts.size() == 1 && texts.front() == host) {
        report.state = Report::State::skipped;
        report.summary = "The origin is given by its address; no name is involved.";
    } else {
        report.summary = host + " resolves to " + std::to_string(texts.size()) +
                         (texts.size() == 1 ? " address." : " addresses.");
        report.facts.add("addresses", texts);
        report.facts.add("elapsed_ms", base::milliseconds(elapsed));
    }
    session.report(std::move(report));
}

}  // namespace edgecase::probe
