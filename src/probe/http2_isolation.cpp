#include <algorithm>

#include "base/statistics.hpp"
#include "net/signal.hpp"
#include "net/task_set.hpp"
#include "probe/probes.hpp"

namespace edgecase::probe {
namespace {

constexpr unsigned kBurst = 8;  // at once
constexpr unsigned kBursts = 2;

struct Load {
    explicit Load(net::Loop& loop) : ended(loop) {}
    net::Signal ended;
    unsigned running = 0;
    unsigned all = 0;
    unsigned failed = 0;
};

net::Task<void> one_request(Session& session, Load& load, bool http2) {
    Question question;
    question.probe = "http2_isolation";
    question.kind = http2 ? Kind::plain : Kind::varied;
    question.factor = http2 ? "" : "protocol";
    question.value = http2 ? "" : "HTTP/1.1 only";
    question.fresh = false;
    question.http1_only = !http2;
    question.paid = 1;
    const Trial* const trial = co_await session.ask(std::move(question));
    if (trial != nullptr) {
        ++load.all;
        load.failed += trial->failure ? 1 : 0;
    }
    --load.running;
    load.ended.notify_all();
}

net::Task<void> run_load(Session& session, Load& load, bool http2, unsigned bursts) {
    const unsigned burst = std::min(kBurst, session.budget().limits().per_second);
    for (unsigned i = 0; i < bursts; ++i) {
        if (!co_await session.budget().take(burst)) co_return;
        net::TaskSet tasks;
        load.running = burst;
        for (unsigned j = 0; j < burst; ++j) tasks.spawn(one_request(session, load, http2));
        while (load.running > 0) co_await load.ended.wait(base::Deadline::never());
    }
}

}  // namespace

net::Task<void> probe_http2_isolation(Session& session) {
    Report report{
        .name = "http2_isolation", .state = Report::State::skipped, .summary = {}, .facts = {}};
    const auto& trials = session.trials();
    const bool agreed =
        std::ranges::any_of(trials, [](const Trial& one) { return one.attempt.http2; });
    const bool allowed = session.speaks_tls() && session.settings().origin_tls.http2;
    if (!agreed || !session.is_safe()) {
        report.summary =
            !session.speaks_tls() ? "HTTP/2 to origins takes TLS; this one is plain HTTP."
            : !allowed            ? "HTTP/2 was not offered."
            : !session.is_safe()  ? "A method that may change something is not sent in bursts."
            : session.hopeless()  ? "No connection was made."
                                  : "The origin does not choose HTTP/2.";
        session.report(std::move(report));
        co_return;
    }
    const unsigned bursts = session.slow() ? 1 : kBursts;
    Load h2(session.loop());
    Load h1(session.loop());
    co_await run_load(session, h2, true, bursts);
    co_await run_load(session, h1, false, bursts);
    Http2Facts facts{h2.failed, h2.all, h1.failed, h1.all, 1};
    facts.p = base::fisher_exact({h2.failed, h2.all, h1.failed, h1.all});
    session.facts().http2 = facts;
    report.facts.add("http2_failed", facts.failed_h2).add("http2_requests", facts.all_h2);
    report.facts.add("http1_failed", facts.failed_h1).add("http1_requests", facts.all_h1);
    const std::string figures = std::to_string(facts.failed_h2) + " of " +
                                std::to_string(facts.all_h2) + " requests failed over HTTP/2, " +
                                std::to_string(facts.failed_h1) + " of " +
                                std::to_string(facts.all_h1) + " over HTTP/1.1";
    report.state = facts.failed_h2 + facts.failed_h1 > 0 ? Report::State::bad : Report::State::good;
    report.summary = figures + ".";
    constexpr double kSignificant = 0.05;
    if (facts.failed_h2 > 0 && facts.p < kSignificant) {
        report.summary = figures + ": the failures are HTTP/2's.";
        const auto reason = std::ranges::find_if(
            trials, [](const Trial& one) { return one.attempt.http2 && one.failure.has_value(); });
        if (reason != trials.end()) {
            report.summary += " " + std::string(reason->failure->row().reason);
        }
    }
    session.report(std::move(report));
}

}  // namespace edgecase::probe
