#include <algorithm>

#include "probe/probes.hpp"

namespace edgecase::probe {
namespace {

constexpr size_t kLargeLink = 2048;  // a page needs a few preloads, not dozens

}  // namespace

void report_hints(Session& session) {
    HeaderFacts& facts = session.facts().headers;
    facts.early_hints = std::ranges::any_of(session.trials(), [](const Trial& one) {
        return std::ranges::any_of(one.answer.interim, [](const std::string& head) {
            return head.substr(0, head.find('\r')).contains(" 103");
        });
    });
    Report report{.name = "hints", .state = Report::State::good, .summary = {}, .facts = {}};
    report.facts.add("link_bytes", uint64_t{facts.link_bytes});
    report.facts.add("early_hints", facts.early_hints);
    if (facts.link_bytes > kLargeLink) {
        report.state = Report::State::advice;
        report.summary = "Link fields with preload hints take " + std::to_string(facts.link_bytes) +
                         " bytes of the response head; a 103 carries them outside of it.";
    } else if (facts.early_hints) {
        report.summary = "The origin sends 103 Early Hints.";
    } else {
        report.summary = "No large preload hints in the response head.";
    }
    session.report(std::move(report));
}

}  // namespace edgecase::probe
