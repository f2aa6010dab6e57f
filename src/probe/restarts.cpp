#include "probe/probes.hpp"

namespace edgecase::probe {

void report_restarts(Session& session) {
    const RestartFacts& facts = session.facts().restarts;
    Report report{.name = "restarts", .state = Report::State::good, .summary = {}, .facts = {}};
    if (facts.seen == 0) {
        report.summary = "Connections were never refused just after a failure.";
    } else {
        report.state = Report::State::bad;
        report.summary = "Just after a failure the origin refused connections";
        report.summary += facts.came_back
                              ? ": it was away for " + std::to_string(facts.longest.count()) +
                                    " ms, as a process is that crashed and was started again."
                              : " and did not come back: a process that crashed, and nobody "
                                "starts it again.";
        report.facts.add("away_ms", int64_t{facts.longest.count()});
        report.facts.add("times", facts.seen);
    }
    session.report(std::move(report));
}

}  // namespace edgecase::probe
