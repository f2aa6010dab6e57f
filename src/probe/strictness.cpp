#include <algorithm>

#include "base/ascii.hpp"
#include "probe/probes.hpp"

namespace edgecase::probe {
namespace {

/// Beside the request itself: what else visitors and crawlers send.
struct Variation {
    std::string_view factor;
    std::string_view value;
    std::string_view method{};
    std::string_view target{};
    std::string_view field{};
    std::string_view field_value{};
    bool http1_only = false;
};

constexpr Variation kVariations[] = {
    {.factor = "protocol", .value = "HTTP/1.1 only", .http1_only = true},
    {.factor = "method", .value = "HEAD", .method = "HEAD"},
    {.factor = "path", .value = "a missing path", .target = "/edgecase-doctor-missing-path"},
    {.factor = "cookies",
     .value = "two cookies",
     .field = "Cookie",
     .field_value = "edgecase_a=1; edgecase_b=0123456789abcdef0123456789abcdef"},
};

std::vector<std::string> oddities(const origin::OwnAnswer& answer) {
    std::vector<std::string> found;
    if (!answer.head_whole) return found;
    if (answer.value_of("date").empty()) found.emplace_back("no Date field (RFC 9110 6.6.1)");
    if (answer.body_bytes > 0 && answer.value_of("content-type").empty()) {
        found.emplace_back("a body without Content-Type (RFC 9110 8.3)");
    }
    if (answer.head.starts_with("HTTP/1.0")) found.emplace_back("answers as HTTP/1.0");
    if (answer.framing.kind == http::Framing::Kind::close) {
        found.emplace_back(
            "the body ends where the connection does: a cut cannot be told from its end");
    }
    return found;
}

}  // namespace

net::Task<void> probe_strictness(Session& session) {
    Question plain;
    plain.probe = "strictness";
    const Trial* const first = co_await session.ask(plain);
    unsigned asked = first != nullptr ? 1 : 0;
    unsigned failed = first != nullptr && first->failure ? 1 : 0;
    if (failed > 0) {  // at once again: the same, or not?
        for (unsigned i = 0; i < 2 && session.is_safe(); ++i) {
            const Trial* const again = co_await session.ask(plain);
            if (again == nullptr) break;
            ++asked;
            failed += again->failure ? 1 : 0;
        }
    }
    for (const Variation& one : kVariations) {
        if (session.hopeless() || !session.is_safe()) break;
        if (one.http1_only && (first == nullptr || !first->attempt.http2)) continue;
        if (session.slow() && !one.http1_only) break;
        Question question;
        question.probe = "strictness";
        question.kind = Kind::varied;
        question.factor = one.factor;
        question.value = one.value;
        question.method = one.method;
        question.target = one.target;
        question.http1_only = one.http1_only;
        if (!one.field.empty()) {
            question.fields.push_back({std::string(one.field), std::string(one.field_value)});
        }
        const Trial* const trial = co_await session.ask(std::move(question));
        if (trial == nullptr) break;
        ++asked;
        failed += trial->failure ? 1 : 0;
    }
    Report report{.name = "strictness", .state = Report::State::good, .summary = {}, .facts = {}};
    if (asked == 0) {
        report.state = Report::State::skipped;
        report.summary = "The budget left no request.";
    } else if (failed > 0) {
        report.state = Report::State::bad;
        report.summary = std::to_string(failed) + " of " + std::to_string(asked) +
                         " requests failed: the one asked about, and variations of it.";
        const auto seen = std::ranges::find_if(
            session.trials(), [](const Trial& one) { return one.failure.has_value(); });
        if (seen != session.trials().end()) report.facts = seen->failure->evidence();
    } else {
        report.summary = "Every byte of " + std::to_string(asked) +
                         " answers is as the RFCs have it; status " +
                         std::to_string(first->answer.status) + ".";
        const auto found = oddities(first->answer);
        if (!found.empty()) {
            report.state = Report::State::advice;
            report.summary += " But: ";
            for (size_t i = 0; i < found.size(); ++i) {
                report.summary += (i == 0 ? "" : ", ") + found[i];
            }
            report.summary += ".";
            report.facts.add("oddities", found);
        }
        report.facts.add("status", int{first->answer.status});
        if (first->answer.status >= 500) report.state = Report::State::bad;
    }
    session.report(std::move(report));
}

}  // namespace edgecase::probe
