#include "cli/findings.hpp"

#include <fmt/format.h>

#include "cli/console.hpp"
#include "cli/exit_status.hpp"
#include "cli/filter_flags.hpp"
#include "cli/terminal_text.hpp"
#include "diagnose/findings.hpp"
#include "diagnose/findings_json.hpp"
#include "record/case_json.hpp"

namespace edgecase::cli {
namespace {

using diagnose::TrafficFinding;

std::string shown(const std::string& text) {
    return record::redact_uri(text);
}

std::string figures_text(const TrafficFinding& one) {
    if (!one.compared) return fmt::format("{} {}", one.failed_inside, one.unit());
    return fmt::format("{} of {} {}, 95 %: {:.2f} % to {:.2f} %", one.failed_inside, one.all_inside,
                       one.unit(), one.interval.low * 100, one.interval.high * 100);
}

std::string findings_text(const std::vector<TrafficFinding>& findings, uint64_t requests,
                          bool colour) {
    const Painter paint(colour);
    if (findings.empty()) return fmt::format("nothing found in {} requests\n", requests);
    std::string text;
    for (const TrafficFinding& one : findings) {
        const cause::Row& row = cause::row(one.cause);
        text += paint(Colour::bold, row.name);
        if (!one.factor.empty()) {
            text += "  " + paint(Colour::red, printable(one.factor + " " + shown(one.value)));
        }
        text += "\n  " + wrapped(printable(shown(one.sentence)), 2) + "\n";
        text += "  " + figures_text(one) + "; since " + record::rfc3339(one.since) + "\n";
        text += "  Fix: " + wrapped(row.fix, 7) + "\n  Rays:";
        for (const std::string& ray : one.rays) text += " " + ray;
        text += "\n\n";
    }
    return text;
}

}  // namespace

int run_findings(const FindingsFlags& flags) {
    std::optional<base::WallTime> since;
    if (!flags.since.empty()) {
        const auto moment = moment_of("--since", flags.since, base::SystemClock().wall_now());
        if (!moment) {
            complain(moment.error());
            return kUsage;
        }
        since = *moment;
    }
    int status = kFine;
    const auto source = open_source(flags.ledger, status);
    if (!source) return status;
    // Successes are forgotten before failures: where there are none left, nothing can be compared.
    base::WallTime compared = base::WallTime::max();
    const auto first = source->visit_all([&](const record::Record& record) {
        // Cases without a cause are kept as long as failures.
        if (!record::is_case(record)) compared = std::min(compared, record.start);
    });
    // One that was under way when the first success was recorded was not forgotten.
    constexpr std::chrono::minutes kLongRequest{5};
    if (compared != base::WallTime::max()) compared -= kLongRequest;
    diagnose::FindingsMaker maker;
    const auto visited = first ? source->visit_all([&](const record::Record& record) {
        const bool early = compared != base::WallTime::max() && record.start < compared;
        if (early || (since && record.start < *since)) return;
        maker.take(record);
    })
                               : first;
    if (!visited) {
        complain(visited.error());
        return kWrongOrMissing;
    }
    tell_missing(*source);
    const auto findings = maker.findings();
    print(flags.json ? diagnose::findings_json(findings).dump(2) + "\n"
                     : findings_text(findings, maker.requests(), wants_colour()));
    return kFine;
}

}  // namespace edgecase::cli
