#include "diagnose/findings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

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

/// The round number of seconds after which it ended; 0: none.
int64_t round_seconds(const record::Record& record) {
    constexpr std::array<int64_t, 11> kRound{5, 10, 15, 20, 25, 30, 45, 60, 90, 100, 120};
    if (record.attempts.empty() || record.attempts.back().total_us < 0) return 0;
    const double seconds = static_cast<double>(record.attempts.back().total_us) / 1e6;
    for (const int64_t one : kRound) {
        const auto wanted = static_cast<double>(one);
        if (seconds > wanted - 0.05 && seconds < wanted * 1.02 + 0.05) return one;
    }
    return 0;
}

std::string percent(double rate) {
    return rate >= 0.01 ? fmt::format("{:.1f} %", rate * 100) : fmt::format("{:.3g} %", rate * 100);
}

}  // namespace

void FindingsMaker::take(const record::Record& record) {
    // A client that left says nothing of the origin, for or against.
    const bool failed = is_counted(record.cause);
    if (!failed && record.cause != Cause::none) return;
    ++requests_;
    const int64_t minute = minute_of(record.start);
    if (minutes_.size() < kMaximumMinutes || minutes_.contains(minute)) ++minutes_[minute];
    for (Factor& factor : factors_of(record)) {
        size_t& values = values_[factor.name];
        auto found = factors_.find(Key(factor.name, factor.value));
        if (found == factors_.end()) {
            const bool full = values >= kMaximumValues;
            if (!full) ++values;
            Key key(factor.name, full ? std::string(kOther) : std::move(factor.value));
            found = factors_.try_emplace(std::move(key)).first;
        }
        ++found->second.all;
        if (failed) ++found->second.failed[record.cause];
    }
    if (!failed) return;
    OfCause& of_cause = causes_[record.cause];
    ++of_cause.count;
    of_cause.since = std::min(of_cause.since, record.start);
    of_cause.last = std::max(of_cause.last, record.start);
    of_cause.rays.push_back(record.ray.to_string());
    if (of_cause.rays.size() > TrafficFinding::kRays) of_cause.rays.pop_front();
    if (of_cause.minutes.size() < kMaximumMinutes || of_cause.minutes.contains(minute)) {
        ++of_cause.minutes[minute];
    }
    if (const int64_t seconds = round_seconds(record)) ++of_cause.round_times[seconds];
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
    all = std::max(failed, all);
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

TrafficFinding FindingsMaker::finding_of(Cause cause, const OfCause& of_cause) const {
    TrafficFinding finding;
    finding.cause = cause;
    finding.since = of_cause.since;
    finding.last = of_cause.last;
    finding.rays.assign(of_cause.rays.begin(), of_cause.rays.end());
    finding.failed_inside = of_cause.count;
    finding.all_inside = requests_;
    const auto comparisons = static_cast<double>(std::max<size_t>(1, factors_.size()));
    double best = kChance;
    uint64_t explained = 0;
    for (const auto& [key, counts] : factors_) {
        const auto failed = counts.failed.find(cause);
        if (key.second == kOther || failed == counts.failed.end()) continue;
        TrafficFinding one = finding;
        one.factor = key.first;
        one.value = key.second;
        one.failed_inside = failed->second;
        one.all_inside = counts.all;
        one.failed_outside = of_cause.count - failed->second;
        one.all_outside = requests_ - counts.all;
        if (one.all_outside == 0) continue;
        const bool more = one.inside_rate() >= kTimesAsOften * one.outside_rate();
        const bool most = static_cast<double>(one.failed_inside) >=
                          kMostOfThem * static_cast<double>(of_cause.count);
        if (!more || !most) continue;
        const double p = base::fisher_exact({one.failed_inside, one.all_inside, one.failed_outside,
                                             one.all_outside}) *
                         comparisons;
        // Of two that explain alike, the narrower one says more.
        const bool better = p < best || (p <= best && one.failed_inside >= explained &&
                                         one.all_inside < finding.all_inside);
        if (p >= kChance || !better) continue;
        best = p;
        explained = one.failed_inside;
        one.confidence = 1 - p;
        finding = std::move(one);
    }
    if (finding.factor.empty()) find_burst(of_cause, finding);
    finding.interval = base::wilson(finding.failed_inside, finding.all_inside);
    const std::string inside = percent(finding.inside_rate());
    finding.sentence =
        finding.factor.empty()
            ? fmt::format("{} of all requests failed so", inside)
            : fmt::format("{} of requests with {} {} failed so, {} of the others", inside,
                          finding.factor, finding.value, percent(finding.outside_rate()));
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
    std::ranges::sort(findings, [](const TrafficFinding& a, const TrafficFinding& b) {
        return a.failed_inside != b.failed_inside ? a.failed_inside > b.failed_inside
                                                  : a.cause < b.cause;
    });
    return findings;
}

}  // namespace edgecase::diagnose
