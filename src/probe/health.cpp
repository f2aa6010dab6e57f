#include <algorithm>
#include <array>

#include "probe/probes.hpp"

namespace edgecase::probe {
namespace {

constexpr std::array<std::string_view, 4> kPaths{"/healthz", "/health", "/up", "/status"};

bool is_good(const Trial& trial) {
    return !trial.failure && trial.answer.status >= 200 && trial.answer.status <= 299;
}

}  // namespace

net::Task<void> probe_health(Session& session) {
    if (session.hopeless() || session.slow() || !session.is_safe())
        co_return session.skip("health");
    // An origin that answers anything with 200 has no health endpoint.
    const bool any = std::ranges::any_of(session.trials(), [](const Trial& one) {
        return one.factor == "path" && one.value == "a missing path" && is_good(one);
    });
    Report report{.name = "health", .state = Report::State::good, .summary = {}, .facts = {}};
    if (any) {
        report.state = Report::State::skipped;
        report.summary = "Every path answers with success, so a health endpoint cannot be told.";
        session.report(std::move(report));
        co_return;
    }
    unsigned absent = 0;
    for (const std::string_view path : kPaths) {
        Question question;
        question.probe = "health";
        question.kind = Kind::provoked;
        question.factor = "path";
        question.value = question.target = path;
        question.method = "GET";
        question.fresh = false;
        const Trial* const trial = co_await session.ask(std::move(question));
        if (trial == nullptr) break;
        absent += trial->answer.status == 404 || trial->answer.status == 410 ? 1 : 0;
        if (!is_good(*trial)) continue;
        session.facts().health_path = path;
        break;
    }
    session.facts().health_asked = absent == kPaths.size();
    if (session.facts().health_path.empty() && !session.facts().health_asked) {
        report.state = Report::State::skipped;
        report.summary = "Whether there is a health endpoint could not be told.";
    } else if (session.facts().health_path.empty()) {
        report.state = Report::State::advice;
        report.summary =
            "There is no health endpoint under the usual names; give health checks "
            "something cheap to ask.";
        report.facts.add("asked", std::vector<std::string>(kPaths.begin(), kPaths.end()));
    } else {
        report.summary = session.facts().health_path + " answers health checks.";
    }
    session.report(std::move(report));
}

}  // namespace edgecase::probe
