#include <algorithm>
#include <array>

#include "probe/probes.hpp"
#include "probe/round_number.hpp"

namespace edgecase::probe {

std::optional<milliseconds> round_number_end(const Trial& trial) {
    // What people and defaults set: 1 s and more, in steps that are spoken of.
    constexpr std::array kRound{1, 2, 3, 5, 10, 15, 20, 25, 30, 45, 60, 90, 100, 120, 180, 300};
    if (!trial.failure || trial.attempt.total_us < 0) return std::nullopt;
    const std::string_view phase = cause::row(trial.cause()).phase();
    if (phase != "resp" && phase != "body" && phase != "h2") return std::nullopt;
    const milliseconds elapsed(trial.attempt.total_us / 1000);
    for (const int seconds : kRound) {
        const milliseconds wanted = std::chrono::seconds(seconds);
        const milliseconds slack = std::max(milliseconds(60), wanted / 50);
        if (elapsed >= wanted - milliseconds(20) && elapsed <= wanted + slack) return wanted;
    }
    return std::nullopt;
}

void report_timeouts(Session& session) {
    Report report{.name = "timeouts", .state = Report::State::good, .summary = {}, .facts = {}};
    milliseconds slowest{0};
    unsigned stalled = 0;
    unsigned silent = 0;
    std::optional<milliseconds> round;
    unsigned round_ends = 0;
    for (const Trial& one : session.trials()) {
        slowest = std::max(slowest, time_of(one));
        const std::string_view name = cause::row(one.cause()).name;
        silent += name == "time.first_byte" ? 1 : 0;
        stalled += name.starts_with("time.") && name != "time.first_byte" ? 1 : 0;
        if (const auto end = round_number_end(one)) {
            round = end;
            ++round_ends;
        }
    }
    const auto limit = session.settings().timeouts.read;
    report.facts.add("slowest_ms", int64_t{slowest.count()});
    report.facts.add("read_timeout_ms", int64_t{limit.count()});
    const std::string limit_text = std::to_string(limit.count() / 1000) + " s";
    if (silent + stalled > 0) {
        report.state = Report::State::bad;
        report.summary = silent >= stalled
                             ? "No byte came within " + limit_text + " of " +
                                   std::to_string(silent) + " requests."
                             : std::to_string(stalled) +
                                   " responses began and then stood still for " + limit_text + ".";
    } else if (round) {
        report.state = Report::State::bad;
        report.summary = std::to_string(round_ends) + " failures came " +
                         std::to_string(round->count() / 1000) +
                         " s after the request, a round number: a timeout at the origin.";
        report.facts.add("round_ms", int64_t{round->count()});
    } else if (slowest.count() == 0 && std::ranges::none_of(session.trials(), [](const Trial& one) {
                   return one.attempt.first_byte_us >= 0;
               })) {
        report.state = Report::State::skipped;
        report.summary = "No answer came that could be timed.";
    } else {
        report.summary = "The slowest first byte took " + std::to_string(slowest.count()) + " ms.";
    }
    session.report(std::move(report));
}

}  // namespace edgecase::probe
