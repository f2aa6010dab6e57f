#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "base/percent.hpp"
#include "base/statistics.hpp"
#include "diagnose/remedy.hpp"
#include "diagnose/verdict.hpp"
#include "probe/round_number.hpp"
#include "record/case_json.hpp"

namespace edgecase::diagnose {
namespace {

using cause::Cause;
using probe::Kind;
using probe::Trial;

constexpr double kSignificant = 0.05;
constexpr size_t kFacts = 6;        // of the wire, of one trial
constexpr size_t kFactBytes = 200;  // of one of them

struct Count {
    unsigned failed = 0;
    unsigned all = 0;
};

void add_rate(const Examination& examination, Finding& finding) {
    Count plain;
    for (const Trial& trial : examination.trials) {
        if (trial.kind != Kind::plain) continue;
        ++plain.all;
        plain.failed += trial.cause() == finding.cause ? 1 : 0;
    }
    if (plain.failed > 0) {
        const base::Interval interval = base::wilson(plain.failed, plain.all);
        finding.evidence_for.push_back(fmt::format(
            "{} of {} requests as the edge sends them ended so (95 %: {} to {}).", plain.failed,
            plain.all, base::percent(interval.low), base::percent(interval.high)));
    }
    const unsigned fine = plain.all - plain.failed;
    if (fine > 0 && plain.failed > 0) {
        finding.evidence_against.push_back(
            fmt::format("{} of {} such requests did not.", fine, plain.all));
    } else if (plain.failed == 0 && plain.all > 0) {
        finding.evidence_against.push_back(
            fmt::format("None of {} requests as the edge sends them ended so.", plain.all));
    }
}

/// What every attempt has says little of this one.
bool is_usual(std::string_view key) {
    constexpr std::array kUsual{"origin",
                                "reused",
                                "nth_request",
                                "bytes_sent",
                                "idle_ms",
                                "request_complete",
                                "tcp_state",
                                "tcp_rtt_us",
                                "tcp_bytes_acked",
                                "tcp_backoff",
                                "tcp_retransmits",
                                "tcp_unacked_bytes",
                                "tcp_send_window_bytes",
                                "request_body_bytes_sent"};
    return std::ranges::find(kUsual, key) != kUsual.end();
}

/// What the wire showed in the first trial that ended so.
void add_wire(const Examination& examination, Finding& finding) {
    const auto seen = std::ranges::find_if(examination.trials, [&](const Trial& one) {
        return one.kind != Kind::provoked && one.cause() == finding.cause && one.failure;
    });
    if (seen == examination.trials.end()) return;
    const auto facts = record::evidence_json(seen->failure->evidence(), record::Secrets::redacted);
    std::string text;
    size_t number = 0;
    for (const auto& [key, value] : facts.items()) {
        if (value.is_null() || number == kFacts || is_usual(key)) continue;
        if (value.is_object()) {  // a sample
            if (!value.contains("text")) continue;
            text += fmt::format("{}{} \"{}\"", text.empty() ? "" : ", ", key,
                                value["text"].get<std::string>().substr(0, kFactBytes));
        } else {
            const std::string shown = value.is_string() ? value.get<std::string>() : value.dump();
            text +=
                fmt::format("{}{} {}", text.empty() ? "" : ", ", key, shown.substr(0, kFactBytes));
        }
        ++number;
    }
    if (!text.empty()) {
        finding.evidence_for.push_back("On the wire (ray " + seen->ray.to_string() + "): " + text +
                                       ".");
    }
}

/// What each trial had, of everything that may make the difference.
std::vector<std::pair<std::string, std::string>> factors_of(const Trial& trial) {
    std::vector<std::pair<std::string, std::string>> factors;
    factors.emplace_back("protocol", trial.attempt.http2 ? "HTTP/2" : "HTTP/1.1");
    factors.emplace_back("connection", trial.attempt.reused ? "reused" : "fresh");
    if (!trial.attempt.origin.address.is_unspecified()) {
        factors.emplace_back("origin address", trial.attempt.origin.address.to_string());
    }
    if (!trial.attempt.edge.address.is_unspecified()) {
        factors.emplace_back("source address", trial.attempt.edge.address.to_string());
    }
    factors.emplace_back("method", trial.method);
    factors.emplace_back("path", record::redact_uri(trial.target));
    factors.emplace_back("host", trial.host);
    if (trial.factor == "user agent" || trial.factor == "cookies") {
        factors.emplace_back(std::string(trial.factor), trial.value);
    } else {
        factors.emplace_back("user agent", "the doctor's");
        factors.emplace_back("cookies", "none");
    }
    return factors;
}

/// Failures that follow one value of one factor.
void add_factors(const Examination& examination, Finding& finding) {
    std::map<std::pair<std::string, std::string>, Count> counts;
    std::map<std::string, std::set<std::string>> values;
    Count all;
    for (const Trial& trial : examination.trials) {
        if (trial.kind == Kind::provoked) continue;
        // What failed otherwise says nothing of this cause.
        if (trial.failure && trial.cause() != finding.cause) continue;
        const bool failed = trial.cause() == finding.cause;
        ++all.all;
        all.failed += failed ? 1 : 0;
        for (const auto& factor : factors_of(trial)) {
            Count& count = counts[factor];
            ++count.all;
            count.failed += failed ? 1 : 0;
            values[factor.first].insert(factor.second);
        }
    }
    const cause::Row& row = cause::row(finding.cause);
    const bool is_of_reused = row.phase() == "reuse";
    const bool is_of_fresh = row.name.starts_with("resp.empty");
    for (const auto& [factor, count] : counts) {
        if (values[factor.first].size() < 2) continue;
        // The same end has another name on a connection that had served before.
        if (factor.first == "connection" && (is_of_fresh || is_of_reused)) continue;
        const Count rest{all.failed - count.failed, all.all - count.all};
        const bool more = static_cast<uint64_t>(count.failed) * rest.all >
                          static_cast<uint64_t>(rest.failed) * count.all;
        const double p = base::fisher_exact({count.failed, count.all, rest.failed, rest.all});
        if (!more || p >= kSignificant) continue;
        finding.evidence_for.push_back(fmt::format(
            "It follows the {}: {} of {} with {}, {} of {} otherwise (p = {:.2g}).", factor.first,
            count.failed, count.all, factor.second, rest.failed, rest.all, p));
    }
}

void add_crash(const Examination& examination, Finding& finding) {
    const probe::RestartFacts& restarts = examination.facts.restarts;
    if (topic_of(finding.cause) != Topic::crash) return;
    const bool refused_later = std::ranges::any_of(
        examination.trials, [](const Trial& one) { return one.cause() == Cause::connect_refused; });
    if (restarts.seen == 0 && refused_later) {
        finding.evidence_for.emplace_back(
            "Afterwards connections were refused: the process is gone.");
        return;
    }
    if (restarts.seen == 0) {
        finding.evidence_against.emplace_back(
            "Connections were not refused afterwards: the listening process lives.");
        return;
    }
    finding.evidence_for.push_back(
        restarts.came_back
            ? fmt::format("Just afterwards connections were refused for {} ms: a process that was "
                          "started again.",
                          restarts.longest.count())
            : "Just afterwards connections were refused, and that lasted: the process is gone.");
}

void add_round_time(const Examination& examination, Finding& finding) {
    std::map<std::chrono::milliseconds, unsigned> ends;
    for (const Trial& trial : examination.trials) {
        if (trial.cause() != finding.cause) continue;
        if (const auto end = probe::round_number_end(trial)) ++ends[*end];
    }
    for (const auto& [end, count] : ends) {
        finding.evidence_for.push_back(
            fmt::format("{} ended {} s after the request, a round number: a timeout at the origin.",
                        count, end.count() / 1000));
    }
}

void add_headers(const Examination& examination, Finding& finding) {
    if (topic_of(finding.cause) != Topic::headers) return;
    const probe::HeaderFacts& headers = examination.facts.headers;
    if (headers.bytes == 0) return;
    const auto limit = examination.settings.limits.response_header_bytes;
    std::string largest;
    for (const auto& one : headers.largest) {
        largest += fmt::format("{}{} {}", largest.empty() ? "" : ", ", one.name, one.bytes);
    }
    finding.evidence_for.push_back(
        fmt::format("A response head of {} bytes, {} of the limit of {}: {}.", headers.bytes,
                    base::percent(static_cast<double>(headers.bytes) / limit), limit, largest));
}

void add_reuse(const Examination& examination, Finding& finding) {
    if (topic_of(finding.cause) != Topic::keep_alive) return;
    const probe::KeepAliveFacts& facts = examination.facts.keep_alive;
    if (facts.closed_after) {
        finding.evidence_for.push_back(fmt::format(
            "The origin closes connections that were idle for {} ms; the edge keeps "
            "them for {} ms.",
            facts.closed_after->count(), examination.settings.timeouts.pool_idle.count()));
    }
    if (facts.raced > 0) {
        finding.evidence_for.push_back(fmt::format(
            "Provoked at the moment of closing: {} of {} lost.", facts.race_lost, facts.raced));
    }
}

void add_address(const Examination& examination, Finding& finding) {
    for (const probe::AddressFacts& one : examination.facts.addresses) {
        if (one.failed == 0 || one.cause != finding.cause) continue;
        finding.evidence_for.push_back(fmt::format("{} of {} connections to {} failed.", one.failed,
                                                   one.tried, one.address.to_string()));
    }
}

void add_logged(const Examination& examination, Finding& finding) {
    for (const CauseSum& sum : examination.logged) {
        if (sum.cause != finding.cause) continue;
        std::string text = fmt::format("In the logs: {} failures read so (confidence {:.2f}).",
                                       sum.count, sum.confidence);
        if (!sum.explanations.front().logs.empty()) text += " " + sum.explanations.front().logs;
        finding.evidence_for.push_back(std::move(text));
    }
}

}  // namespace

void gather_evidence(const Examination& examination, Finding& finding) {
    add_rate(examination, finding);
    add_wire(examination, finding);
    add_factors(examination, finding);
    add_address(examination, finding);
    add_headers(examination, finding);
    add_reuse(examination, finding);
    add_round_time(examination, finding);
    add_crash(examination, finding);
    add_logged(examination, finding);
}

}  // namespace edgecase::diagnose
