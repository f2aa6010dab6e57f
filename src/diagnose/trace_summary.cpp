#include "diagnose/trace_summary.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <unordered_map>

#include "record/ray_id.hpp"

namespace edgecase::diagnose {
namespace {

using cause::Cause;
using Counts = std::unordered_map<std::string, uint64_t>;

constexpr int64_t kMinuteUs = 60'000'000;
// An attacker's paths are all different: what is not frequent is not kept apart.
constexpr size_t kMaximumNames = 50'000;
constexpr size_t kOutcomes = 4;  // of logs::Outcome

void count(Counts& counts, std::string_view name) {
    if (name.empty()) return;
    const std::string key(name);
    if (counts.size() < kMaximumNames || counts.contains(key)) ++counts[key];
}

std::vector<Tally> most_of(const Counts& counts) {
    std::vector<Tally> all;
    for (const auto& [name, number] : counts) all.push_back({name, number});
    std::ranges::sort(all, [](const Tally& a, const Tally& b) {
        return a.count != b.count ? a.count > b.count : a.name < b.name;
    });
    if (all.size() > CauseSum::kMaximumTallies) all.resize(CauseSum::kMaximumTallies);
    return all;
}

struct Gathering {
    CauseSum sum;
    std::map<std::string, Explanation> explanations;  // by the first sentence of what logs say
    double confidence = 0;
    Counts paths;
    Counts origins;
    Counts edges;
    std::map<int64_t, uint64_t> minutes;
};

void take_explanations(std::map<std::string, Explanation>& from, CauseSum& sum) {
    for (auto& [sentence, one] : from) sum.explanations.push_back(std::move(one));
    std::ranges::sort(sum.explanations, [](const Explanation& a, const Explanation& b) {
        return a.count != b.count ? a.count > b.count : a.example < b.example;
    });
    while (sum.explanations.size() > CauseSum::kMaximumExplanations) {
        sum.explained_otherwise += sum.explanations.back().count;
        sum.explanations.pop_back();
    }
}

std::vector<Minute> minutes_of(const std::map<int64_t, uint64_t>& counts) {
    std::vector<Minute> minutes;
    for (const auto& [minute, number] : counts) minutes.push_back({minute * kMinuteUs, number});
    return minutes;
}

/// Minutes with far more failures than is usual where there are failures.
std::vector<Minute> bursts_of(const std::vector<Minute>& minutes) {
    constexpr uint64_t kLeast = 10;
    constexpr uint64_t kTimes = 4;
    std::vector<Minute> bursts;
    if (minutes.empty()) return bursts;
    std::vector<uint64_t> counts;
    for (const Minute& one : minutes) counts.push_back(one.count);
    // Minutes without a failure count too.
    const auto span = static_cast<size_t>((minutes.back().at - minutes.front().at) / kMinuteUs) + 1;
    counts.resize(std::max(counts.size(), std::min<size_t>(span, 1'000'000)));
    std::ranges::nth_element(counts, counts.begin() + static_cast<ptrdiff_t>(counts.size() / 2));
    const uint64_t median = counts[counts.size() / 2];
    for (const Minute& one : minutes) {
        if (one.count >= kLeast && one.count >= kTimes * std::max<uint64_t>(1, median)) {
            bursts.push_back(one);
        }
    }
    return bursts;
}

}  // namespace

std::string_view to_string(Guide guide) {
    switch (guide) {
        case Guide::crash:
            return "crash or restart in the middle of a response";
        case Guide::headers:
            return "response headers too large";
        case Guide::firewall:
            return "firewall drops some edge addresses";
        case Guide::http2:
            return "HTTP/2 streams gone wrong";
        case Guide::script_timeout:
            return "script time-out after the response began";
        case Guide::status_line:
            return "invalid status line";
        case Guide::other:
            return "none of the six";
    }
    return "";
}

Guide guide_of(Cause cause, bool never_arrived) {
    const std::string_view name = cause::row(cause).name;
    const auto is_one_of = [&](std::initializer_list<Cause> causes) {
        return std::ranges::find(causes, cause) != causes.end();
    };
    if (is_one_of({Cause::resp_headers_too_large, Cause::resp_header_line_too_large,
                   Cause::resp_too_many_headers, Cause::resp_status_line_too_large,
                   Cause::h2_header_list_too_large})) {
        return Guide::headers;
    }
    if (is_one_of({Cause::connect_rejected, Cause::connect_prohibited, Cause::connect_timeout,
                   Cause::connect_reset})) {
        return Guide::firewall;
    }
    if (is_one_of({Cause::time_headers_slow, Cause::time_body_idle, Cause::time_between_responses,
                   Cause::resp_truncated_headers})) {
        return Guide::script_timeout;
    }
    if (name.starts_with("h2.")) return Guide::http2;
    if (name.starts_with("resp.not_http") || name.starts_with("resp.bad_status") ||
        name == "resp.bad_version" || name == "resp.bad_reason_phrase") {
        return Guide::status_line;
    }
    if (name.starts_with("resp.empty") || name.starts_with("resp.reset") ||
        name.starts_with("resp.truncated") || name.starts_with("body.short") ||
        name.starts_with("body.chunk_") || name == "resp.only_1xx" ||
        name == "body.close_delimited_rst" || name == "request.write_reset" ||
        name == "request.write_closed") {
        return never_arrived ? Guide::firewall : Guide::crash;
    }
    return Guide::other;
}

Summary sum_up(const std::vector<logs::TracedRay>& rays, const std::vector<Reading>& readings) {
    Summary summary;
    std::map<Cause, Gathering> by_cause;
    std::array<uint64_t, 7> guide{};
    std::array<uint64_t, kOutcomes + 1> outcomes{};
    std::map<int64_t, uint64_t> minutes;
    for (size_t i = 0; i < rays.size(); ++i) {
        const logs::TracedRay& ray = rays[i];
        const Reading& reading = readings[i];
        const bool failed = reading.cause != Cause::none || ray.edge.edge_status >= 500;
        ++outcomes[reading.arrived ? kOutcomes : static_cast<size_t>(ray.outcome)];
        if (!failed) continue;
        ++summary.failed;
        if (reading.cause != Cause::none) ++summary.explained;
        Gathering& gathering = by_cause[reading.cause];
        CauseSum& sum = gathering.sum;
        sum.cause = reading.cause;
        const logs::LogTime at = ray.edge.start;
        if (sum.count++ == 0) sum.first = sum.last = at;
        sum.first = std::min(sum.first, at);
        sum.last = std::max(sum.last, at);
        gathering.confidence += reading.confidence;
        Explanation& explanation =
            gathering.explanations[reading.logs.substr(0, reading.logs.find(". "))];
        if (explanation.count++ == 0) {
            explanation.logs = reading.logs;
            explanation.fix = reading.fix;
            explanation.example = record::RayId(ray.edge.ray).to_string();
        }
        count(gathering.paths, std::string_view(ray.edge.uri).substr(0, ray.edge.uri.find('?')));
        count(gathering.origins, ray.edge.origin);
        count(gathering.edges, ray.edge.edge_address);
        const bool absent = ray.outcome == logs::Outcome::never_arrived && !reading.arrived;
        const Guide root = reading.on_purpose ? Guide::other : guide_of(reading.cause, absent);
        ++guide[static_cast<size_t>(root)];
        if (at == logs::kNoTime) continue;
        ++minutes[at / kMinuteUs];
        ++gathering.minutes[at / kMinuteUs];
    }
    for (auto& [cause, gathering] : by_cause) {
        CauseSum& sum = gathering.sum;
        sum.confidence = gathering.confidence / static_cast<double>(sum.count);
        take_explanations(gathering.explanations, sum);
        sum.paths = most_of(gathering.paths);
        sum.origins = most_of(gathering.origins);
        sum.edges = most_of(gathering.edges);
        sum.minutes = minutes_of(gathering.minutes);
        summary.causes.push_back(std::move(sum));
    }
    std::ranges::sort(summary.causes, std::greater(), &CauseSum::count);
    for (size_t i = 0; i < guide.size(); ++i) {
        summary.guide.push_back({std::string(to_string(static_cast<Guide>(i))), guide[i]});
    }
    for (size_t i = 0; i < kOutcomes; ++i) {
        const auto outcome = static_cast<logs::Outcome>(i);
        summary.outcomes.push_back({std::string(logs::to_string(outcome)), outcomes[i]});
    }
    summary.outcomes.push_back({std::string(kLeftNoLineOutcome), outcomes[kOutcomes]});
    summary.minutes = minutes_of(minutes);
    summary.bursts = bursts_of(summary.minutes);
    return summary;
}

Bars bars_of(const std::vector<Minute>& minutes, size_t maximum) {
    const logs::LogTime from = minutes.front().at;
    const auto column = [&](logs::LogTime at) {
        return static_cast<uint64_t>(at / kMinuteUs - from / kMinuteUs);
    };
    const uint64_t span = column(minutes.back().at) + 1;
    Bars bars{.minutes = (span + maximum - 1) / maximum, .counts = {}};
    bars.counts.resize((span + bars.minutes - 1) / bars.minutes);
    for (const Minute& one : minutes) bars.counts[column(one.at) / bars.minutes] += one.count;
    return bars;
}

}  // namespace edgecase::diagnose
