#include "diagnose/verdict.hpp"

#include <algorithm>
#include <map>

#include "base/sample.hpp"
#include "diagnose/remedy.hpp"

namespace edgecase::diagnose {
namespace {

using cause::Cause;
using probe::Kind;
using probe::Trial;

constexpr double kSeen = 0.97;            // seen on the wire, and nothing else was
constexpr double kSeenInVariation = 0.6;  // as the edge usually asks, it does not happen
constexpr double kNearLimit = 0.6;        // response heads that just pass
constexpr double kOneAddress = 0.6;
constexpr double kLeast = 0.01;
constexpr size_t kMostFindings = 8;
constexpr int kAnswersToRuleOut = 10;

/// What is the doctor's own trouble: its network, its resolver, its limits.
bool is_ours(Cause cause) {
    return cause::row(cause).actor == cause::Actor::edge;
}

/// Whether it counts against the origin. A 5xx to a variation may be its good right.
Cause accusing(const Trial& trial) {
    if (trial.kind == Kind::provoked) return Cause::none;
    if (trial.kind == Kind::varied && !trial.failure) return Cause::none;
    // An origin may speak HTTP/2 alone: the edge does, then.
    if (trial.factor == "protocol") return Cause::none;
    const Cause cause = trial.cause();
    // Where it stops every request it is the answer; beside requests that pass it is none.
    if (trial.kind == Kind::varied && is_ours(cause)) return Cause::none;
    return cause::row(cause).phase() == "edge" ? Cause::none : cause;
}

/// How much one failure says. What happens to a request that is alone on its connection is the
/// origin's doing; what happens to its neighbours may be the consequence.
class Weights {
  public:
    explicit Weights(const std::deque<Trial>& trials) {
        for (const Trial& trial : trials) {
            if (accusing(trial) == Cause::none || trial.kind != Kind::plain) continue;
            plain_fails_ = true;
            alone_fails_ = alone_fails_ || trial.fresh;
        }
    }
    double of(const Trial& trial) const {
        if (trial.kind == Kind::varied) return plain_fails_ ? kConsequence : kVariation;
        return alone_fails_ && !trial.fresh ? kConsequence : 1;
    }

    bool plain_fails() const { return plain_fails_; }

  private:
    static constexpr double kVariation = 0.5;
    static constexpr double kConsequence = 0.1;
    bool plain_fails_ = false;
    bool alone_fails_ = false;
};

bool is_downgraded(Cause cause) {
    const cause::Retry retry = cause::row(cause).retry;
    return retry == cause::Retry::downgrade || retry == cause::Retry::downgrade_idempotent;
}

/// After some failures of HTTP/2 the edge asks again over HTTP/1.1: if that fails too, it is what
/// visitors see. None: it does not.
Cause cause_after_downgrade(const std::deque<Trial>& trials) {
    std::map<Cause, unsigned> causes;
    unsigned all = 0;
    for (const Trial& trial : trials) {
        if (trial.attempt.http2 || trial.factor != "protocol") continue;
        const Cause cause = trial.cause();
        if (cause::row(cause).phase() == "tls") continue;
        ++all;
        ++causes[cause];
    }
    for (const auto& [cause, count] : causes) {
        if (cause != Cause::none && count * 2 > all) return cause;
    }
    return Cause::none;
}

void add_seen(const Examination& examination, std::vector<Finding>& findings) {
    const Weights weight_of(examination.trials);
    std::map<Cause, double> weights;
    double all = 0;
    Cause first = Cause::none;
    for (const Trial& trial : examination.trials) {
        const Cause cause = accusing(trial);
        if (cause == Cause::none) continue;
        if (first == Cause::none) first = cause;
        weights[cause] += weight_of.of(trial);
        all += weight_of.of(trial);
    }
    // A process that has died takes no connections: that is the same fault.
    const bool died = topic_of(first) == Topic::crash || topic_of(first) == Topic::keep_alive;
    const auto refused = weights.find(Cause::connect_refused);
    if (died && refused != weights.end()) {
        weights[first] += refused->second;
        weights.erase(refused);
    }
    if (const Cause after = cause_after_downgrade(examination.trials);
        after != Cause::none && is_downgraded(first)) {
        weights[after] += weights[first];
        all += weights[first];
    }
    for (const auto& [cause, weight] : weights) {
        Finding finding;
        finding.cause = cause;
        const double seen = weight_of.plain_fails() ? kSeen : kSeenInVariation;
        finding.likelihood = std::clamp(seen * weight / all, kLeast, seen);
        findings.push_back(std::move(finding));
    }
}

bool has(const std::vector<Finding>& findings, Cause cause) {
    return std::ranges::any_of(findings, [&](const Finding& one) { return one.cause == cause; });
}

/// What did not happen to a request, and will.
void add_expected(const Examination& examination, std::vector<Finding>& findings) {
    const config::Limits& limits = examination.settings.limits;
    const auto expect = [&](Cause cause, double likelihood) {
        if (has(findings, cause)) return;
        Finding finding;
        finding.cause = cause;
        // What was seen comes before what may be.
        finding.likelihood = findings.empty() ? likelihood : likelihood / 3;
        findings.push_back(std::move(finding));
    };
    if (examination.facts.headers.bytes >= limits.response_header_warn_bytes) {
        expect(Cause::resp_headers_too_large, kNearLimit);
    }
    for (const probe::AddressFacts& one : examination.facts.addresses) {
        if (one.failed > 0 && !is_ours(one.cause)) expect(one.cause, kOneAddress);
    }
}

/// Failures in the logs: more weight than a handful of probes when the probes saw nothing.
void add_logged(const Examination& examination, std::vector<Finding>& findings) {
    double all = 0;
    for (const CauseSum& sum : examination.logged) all += static_cast<double>(sum.count);
    for (const CauseSum& sum : examination.logged) {
        if (sum.cause == Cause::none) continue;
        const double share = static_cast<double>(sum.count) / all * sum.confidence;
        const auto same = std::ranges::find_if(
            findings, [&](const Finding& one) { return one.cause == sum.cause; });
        if (same != findings.end()) {
            same->likelihood = std::max(same->likelihood, (same->likelihood + share) / 2);
            continue;
        }
        Finding finding;
        finding.cause = sum.cause;
        finding.likelihood = std::clamp(kSeen * share, kLeast, kSeen);
        findings.push_back(std::move(finding));
    }
}

std::chrono::milliseconds longest(const Examination& examination, Cause cause) {
    std::chrono::milliseconds time{0};
    for (const Trial& trial : examination.trials) {
        if (trial.cause() == cause) time = std::max(time, probe::time_of(trial));
    }
    return time;
}

uint64_t header_bytes(const Examination& examination, Cause cause) {
    uint64_t bytes = examination.facts.headers.bytes;
    for (const Trial& trial : examination.trials) {
        if (trial.cause() == cause) bytes = std::max(bytes, trial.attempt.bytes_received);
    }
    return bytes;
}

std::string fix_of(const Examination& examination, Cause cause) {
    RemedyValues values;
    values.header_bytes = header_bytes(examination, cause);
    values.limit_bytes = examination.settings.limits.response_header_bytes;
    values.edge_idle = examination.settings.timeouts.pool_idle;
    values.needed = longest(examination, cause);
    values.target = examination.target;
    const http::OriginUrl& url = examination.settings.pools.front().origins.front().url;
    values.port = url.port;
    const std::string& name = examination.settings.origin_tls.name;
    values.name = name.empty() ? url.host : name;
    const std::string for_server = remedy(topic_of(cause), examination.facts.server, values);
    const std::string_view general = cause::row(cause).fix;
    if (for_server.empty()) return std::string(general);
    return std::string(general) + "\n" + for_server;
}

void add_rays(const Examination& examination, Finding& finding) {
    for (const Trial& trial : examination.trials) {
        if (accusing(trial) != finding.cause || finding.rays.size() == Finding::kRays) continue;
        finding.rays.push_back(trial.ray.to_string());
    }
}

/// Whether no connection failed, to any address.
bool all_connected(const Examination& examination) {
    const auto failed = [](const probe::AddressFacts& one) { return one.failed > 0; };
    const auto unconnected = [](const Trial& one) {
        return one.failure && one.failure->row().phase() == "connect";
    };
    return std::ranges::none_of(examination.facts.addresses, failed) &&
           std::ranges::none_of(examination.trials, unconnected);
}

std::string why_ruled_out(const Examination& examination, Guide guide) {
    const probe::Facts& facts = examination.facts;
    const auto answered = std::ranges::count_if(examination.trials,
                                                [](const Trial& one) { return one.answer.whole; });
    const std::string requests = std::to_string(answered) + " answers";
    switch (guide) {
        case Guide::crash:
            return requests + " came whole, and no connection was refused after one.";
        case Guide::headers:
            return "The largest response head has " + std::to_string(facts.headers.bytes) +
                   " bytes of " +
                   std::to_string(examination.settings.limits.response_header_bytes) + ".";
        case Guide::firewall:
            return "Every connection from this address was made. Other edges come from other "
                   "addresses: edgecase ranges check reads the firewall's rules.";
        case Guide::http2:
            if (!facts.http2 || facts.http2->all_h2 == 0) {
                return "HTTP/2 is not in use with this origin, or was not compared.";
            }
            return std::to_string(facts.http2->all_h2) + " requests over HTTP/2 did not fail.";
        case Guide::script_timeout:
            return "No response began and stood still.";
        case Guide::status_line:
            return "Every status line was as RFC 9112 has it.";
        case Guide::other:
            break;
    }
    return {};
}

}  // namespace

Verdict judge(const Examination& examination) {
    Verdict verdict;
    add_seen(examination, verdict.findings);
    add_expected(examination, verdict.findings);
    add_logged(examination, verdict.findings);
    std::ranges::sort(verdict.findings, [](const Finding& a, const Finding& b) {
        return a.likelihood != b.likelihood ? a.likelihood > b.likelihood : a.cause < b.cause;
    });
    if (verdict.findings.size() > kMostFindings) verdict.findings.resize(kMostFindings);
    for (Finding& finding : verdict.findings) {
        finding.guide = guide_of(finding.cause, false);
        finding.fix = fix_of(examination, finding.cause);
        gather_evidence(examination, finding);
        add_rays(examination, finding);
    }
    const auto answers = std::ranges::count_if(examination.trials,
                                               [](const Trial& one) { return one.answer.whole; });
    for (const Guide guide : {Guide::crash, Guide::headers, Guide::firewall, Guide::http2,
                              Guide::script_timeout, Guide::status_line}) {
        const bool suspected = std::ranges::any_of(
            verdict.findings, [&](const Finding& one) { return one.guide == guide; });
        const bool unseen = guide == Guide::firewall && !all_connected(examination);
        if (!suspected && !unseen && answers >= kAnswersToRuleOut) {
            verdict.ruled_out.push_back({guide, why_ruled_out(examination, guide)});
        }
    }
    verdict.advice = advise(examination);
    return verdict;
}

}  // namespace edgecase::diagnose
