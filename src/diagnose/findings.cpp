#include "diagnose/findings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/percent.hpp"
#include "record/case_json.hpp"

namespace edgecase::diagnose {
namespace {

using cause::Cause;

constexpr size_t kMaximumValues = 2'000;    // of one factor: an attacker's are all different
constexpr size_t kMaximumMinutes = 45'000;  // a month
constexpr double kChance = 0.001;           // of a finding that is none, over all comparisons
constexpr double kTimesAsOften = 3;         // inside than outside, at least
constexpr double kMostOfThem = 0.8;         // of the failures of a cause
constexpr std::string_view kOther = "(another)";

/// What the edge answered for, not what clients did.
bool is_counted(Cause cause) {
    const std::string_view phase = cause::row(cause).phase();
    return cause != Cause::none && phase != "client";
}

int64_t minute_of(base::WallTime time) {
    return std::chrono::floor<std::chrono::minutes>(time).time_since_epoch().count();
}

/// The round number of seconds after which the origin ended it; 0: none. The edge's own limits are
/// often round as well.
int64_t round_seconds(const record::Record& record) {
    constexpr std::array<int64_t, 11> kRound{5, 10, 15, 20, 25, 30, 45, 60, 90, 100, 120};
    if (record.evidence.find("limit_name") != nullptr) return 0;
    if (record.attempts.empty() || record.attempts.back().total_us < 0) return 0;
    const double seconds = static_cast<double>(record.attempts.back().total_us) / 1e6;
    for (const int64_t one : kRound) {
        const auto wanted = static_cast<double>(one);
        if (seconds > wanted - 0.05 && seconds < wanted * 1.02 + 0.05) return one;
    }
    return 0;
}

}  // namespace

void FindingsMaker::Trials::take(std::vector<Factor> factors, Cause cause) {
    const auto count = [&](Counts& counts) {
        ++counts.all;
        if (cause != Cause::none) ++counts.failed[cause];
    };
    count(total);
    for (Factor& factor : factors) {
        size_t& known = values[factor.name];
        auto found = by.find(Key(factor.name, factor.value));
        if (found == by.end()) {
            const bool full = known >= kMaximumValues;
            if (!full) ++known;
            Key key(factor.name, full ? std::string(kOther) : std::move(factor.value));
            found = by.try_emplace(std::move(key)).first;
        }
        count(found->second);
    }
}

void FindingsMaker::take(const record::Record& record) {
    // A client that left says nothing of the origin, for or against.
    const bool failed = is_counted(record.cause);
    if (!failed && record.cause != Cause::none) return;
    ++requests_;
    successes_ += record::is_case(record) ? 0 : 1;
    const int64_t minute = minute_of(record.start);
    if (minutes_.size() < kMaximumMinutes || minutes_.contains(minute)) ++minutes_[minute];
    by_request_.take(factors_of(record), record.cause);
    for (const record::Attempt& attempt : record.attempts) {
        // The last one decided; what it is called by itself may be less.
        const bool last = &attempt == &record.attempts.back();
        by_attempt_.take(factors_of(attempt), last ? record.cause : attempt.cause);
    }
    if (!failed) {
        // Once, however many of its attempts failed so.
        std::set<Cause> causes;
        for (const record::Attempt& attempt : record.attempts) {
            if (is_counted(attempt.cause) && attempt.retried) causes.insert(attempt.cause);
        }
        for (const Cause cause : causes) hidden_[cause].note(record, minute);
        return;
    }
    OfCause& of_cause = causes_[record.cause];
    of_cause.note(record, minute);
    if (const int64_t seconds = round_seconds(record)) ++of_cause.round_times[seconds];
}

void FindingsMaker::OfCause::note(const record::Record& record, int64_t minute) {
    ++count;
    since = std::min(since, record.start);
    last = std::max(last, record.start);
    rays.push_back(record.ray.to_string());
    if (rays.size() > TrafficFinding::kRays) rays.pop_front();
    if (minutes.size() < kMaximumMinutes || minutes.contains(minute)) ++minutes[minute];
}

/// Most of them within a few minutes, of many: a restart or a deploy.
void FindingsMaker::find_burst(const OfCause& of_cause, TrafficFinding& finding) const {
    constexpr size_t kFewMinutes = 3;
    constexpr size_t kManyMinutes = 15;  // with traffic
    if (minutes_.size() < kManyMinutes) return;
    const auto most =
        std::ranges::max_element(of_cause.minutes, {}, [](const auto& one) { return one.second; });
    uint64_t failed = 0;
    uint64_t all = 0;
    const int64_t from = most->first - 1;
    const int64_t to = from + static_cast<int64_t>(kFewMinutes);
    for (int64_t minute = from; minute < to; ++minute) {
        const auto failures = of_cause.minutes.find(minute);
        if (failures != of_cause.minutes.end()) failed += failures->second;
        if (const auto requests = minutes_.find(minute); requests != minutes_.end()) {
            all += requests->second;
        }
    }
    if (static_cast<double>(failed) < kMostOfThem * static_cast<double>(of_cause.count)) {
        return;
    }
    all = std::min(std::max(failed, all), requests_);
    failed = std::min(failed, all);
    // Any of its minutes could have been the one.
    const double p = base::fisher_exact({failed, all, of_cause.count - failed, requests_ - all}) *
                     static_cast<double>(minutes_.size());
    if (p >= kChance) return;
    finding.factor = "time";
    const std::string begin = record::rfc3339(base::WallTime(std::chrono::minutes(from)));
    finding.value = fmt::format("{} for {} min", begin, kFewMinutes);
    finding.failed_inside = failed;
    finding.all_inside = all;
    finding.failed_outside = of_cause.count - failed;
    finding.all_outside = requests_ - all;
    finding.confidence = 1 - p;
}

/// The factor among these trials that explains the cause better than what the finding has so far.
void FindingsMaker::find_factor(const Trials& trials, double comparisons, double& best,
                                TrafficFinding& finding) const {
    const auto total = trials.total.failed.find(finding.cause);
    if (total == trials.total.failed.end()) return;
    for (const auto& [key, counts] : trials.by) {
        const auto failed = counts.failed.find(finding.cause);
        if (key.second == kOther || failed == counts.failed.end()) continue;
        TrafficFinding one = finding;
        one.factor = key.first;
        one.value = key.second;
        one.of_attempts = trials.of_attempts;
        one.failed_inside = failed->second;
        one.all_inside = counts.all;
        one.failed_outside = total->second - failed->second;
        one.all_outside = trials.total.all - counts.all;
        if (one.all_outside == 0) continue;
        const bool more = one.inside_rate() >= kTimesAsOften * one.outside_rate();
        const bool most = static_cast<double>(one.failed_inside) >=
                          kMostOfThem * static_cast<double>(total->second);
        if (!more || !most) continue;
        const double p = base::fisher_exact({one.failed_inside, one.all_inside, one.failed_outside,
                                             one.all_outside}) *
                         comparisons;
        // Of two that explain alike, the narrower one says more.
        const bool better = p < best || (p <= best && one.failed_inside >= finding.failed_inside &&
                                         one.all_inside < finding.all_inside);
        if (p >= kChance || !better) continue;
        best = p;
        one.confidence = 1 - p;
        finding = std::move(one);
    }
}

/// With what did not fail so; gives the finding its factor and its sentence.
void FindingsMaker::compare(const OfCause& of_cause, TrafficFinding& finding) const {
    const auto comparisons =
        static_cast<double>(std::max<size_t>(1, by_request_.by.size() + by_attempt_.by.size()));
    double best = kChance;
    find_factor(by_request_, comparisons, best, finding);
    find_factor(by_attempt_, comparisons, best, finding);
    if (finding.factor.empty()) find_burst(of_cause, finding);
    finding.interval = base::wilson(finding.failed_inside, finding.all_inside);
    const std::string inside = base::percent(finding.inside_rate());
    finding.sentence =
        finding.factor.empty()
            ? fmt::format("{} of all requests failed so", inside)
            : fmt::format("{} of {} with {} {} failed so, {} of the others", inside, finding.unit(),
                          finding.factor, finding.value, base::percent(finding.outside_rate()));
}

TrafficFinding FindingsMaker::finding_of(Cause cause, const OfCause& of_cause) const {
    TrafficFinding finding;
    finding.cause = cause;
    finding.since = of_cause.since;
    finding.last = of_cause.last;
    finding.rays.assign(of_cause.rays.begin(), of_cause.rays.end());
    finding.failed_inside = of_cause.count;
    finding.all_inside = requests_;
    finding.compared = successes_ > 0;
    if (finding.compared) {
        compare(of_cause, finding);
    } else {
        finding.sentence =
            fmt::format("{} requests failed so, and no success is on record to compare them with",
                        of_cause.count);
    }
    finding.sentence += fmt::format(": {}", cause::row(cause).reason);
    for (const auto& [seconds, count] : of_cause.round_times) {
        if (static_cast<double>(count) < kMostOfThem * static_cast<double>(of_cause.count))
            continue;
        finding.sentence += fmt::format(
            " They end {} s after the request, a round number: a timeout at the origin.", seconds);
    }
    return finding;
}

std::vector<TrafficFinding> FindingsMaker::findings() const {
    std::vector<TrafficFinding> findings;
    for (const auto& [cause, of_cause] : causes_) {
        if (of_cause.count >= kLeastFailures) findings.push_back(finding_of(cause, of_cause));
    }
    const auto least = std::max(static_cast<double>(kLeastHidden),
                                kLeastHiddenShare * static_cast<double>(requests_));
    for (const auto& [cause, of_cause] : hidden_) {
        const auto seen = causes_.find(cause);
        const bool told = seen != causes_.end() && seen->second.count >= kLeastFailures;
        if (told || static_cast<double>(of_cause.count) < least) continue;
        findings.push_back(finding_of(cause, of_cause));
        findings.back().hidden = true;
        findings.back().sentence +=
            " A retry saved these requests; one that cannot be sent again fails.";
    }
    std::ranges::sort(findings, [](const TrafficFinding& a, const TrafficFinding& b) {
        return a.failed_inside != b.failed_inside ? a.failed_inside > b.failed_inside
                                                  : a.cause < b.cause;
    });
    return findings;
}

}  // namespace edgecase::diagnose
