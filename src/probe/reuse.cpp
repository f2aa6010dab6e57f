#include <array>

#include "probe/probes.hpp"

namespace edgecase::probe {
namespace {

constexpr unsigned kOnOne = 12;  // requests in a row on one connection
/// Idle times that every origin must bear.
constexpr std::array kIdle{std::chrono::milliseconds(0), std::chrono::milliseconds(200),
                           std::chrono::milliseconds(1000)};

/// A request that may change something is made once more at most, behind a harmless one.
net::Task<void> try_once(Session& session) {
    KeepAliveFacts& facts = session.facts().keep_alive;
    Question harmless = http1_question(session, "reuse");
    harmless.kind = Kind::provoked;
    harmless.method = "HEAD";
    Session::Kept kept = co_await session.ask_and_keep(std::move(harmless));
    if (kept.connection) {
        co_await session.ask_again(kept, http1_question(session, "reuse"));
        if (kept.trial != nullptr) {
            ++facts.reused_soon;
            facts.stale_soon += kept.trial->failure ? 1 : 0;
        }
    }
    session.give_back(std::move(kept));
}

}  // namespace

net::Task<void> probe_reuse(Session& session) {
    if (session.hopeless() || session.slow()) co_return session.skip("reuse");
    if (!session.is_safe()) co_return co_await try_once(session);
    KeepAliveFacts& facts = session.facts().keep_alive;
    Session::Kept kept = co_await session.ask_and_keep(http1_question(session, "reuse"));
    if (kept.trial == nullptr || kept.trial->failure) {
        session.give_back(std::move(kept));
        co_return;
    }
    facts.requests_on_one = 1;
    for (unsigned i = 1; i < kOnOne && kept.connection; ++i) {
        const auto idle = i <= kIdle.size() ? kIdle[i - 1] : kIdle.front();
        co_await session.loop().sleep_until(session.loop().after(idle));
        co_await session.ask_again(kept, http1_question(session, "reuse"));
        if (kept.trial == nullptr) break;
        ++facts.reused_soon;
        if (kept.trial->failure) {
            ++facts.stale_soon;
            break;
        }
        ++facts.requests_on_one;
    }
    facts.limit_reached = kept.trial != nullptr && !kept.trial->failure && !kept.connection;
    Report report{.name = "reuse", .state = Report::State::good, .summary = {}, .facts = {}};
    report.facts.add("requests_on_one_connection", facts.requests_on_one);
    if (facts.stale_soon > 0) {
        report.state = Report::State::bad;
        report.summary =
            "Request " + std::to_string(facts.requests_on_one + 1) +
            " on a connection failed: " + std::string(kept.trial->failure->row().reason);
        report.facts.add("idle_ms", kept.trial->attempt.idle_us / 1000);
    } else if (facts.requests_on_one == 1 && facts.limit_reached) {
        report.state = Report::State::skipped;
        report.summary = "The origin does not keep connections.";
    } else if (facts.limit_reached) {
        report.state = Report::State::advice;
        report.summary = "The origin ends a connection after " +
                         std::to_string(facts.requests_on_one) + " requests.";
    } else {
        report.summary = "One connection served " + std::to_string(facts.requests_on_one) +
                         " requests, up to a second apart.";
    }
    session.give_back(std::move(kept));
    session.report(std::move(report));
}

}  // namespace edgecase::probe
