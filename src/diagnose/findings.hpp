// Owns the findings: failures of one cause, and what sets them apart from all other requests.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/statistics.hpp"
#include "cause/table.hpp"
#include "diagnose/factor.hpp"
#include "record/record.hpp"

namespace edgecase::diagnose {

struct TrafficFinding {
    cause::Cause cause = cause::Cause::none;
    std::string factor;  // empty: nothing sets them apart
    std::string value;
    uint64_t failed_inside = 0;
    uint64_t all_inside = 0;
    uint64_t failed_outside = 0;
    uint64_t all_outside = 0;
    base::Interval interval;  // of the rate inside, 95 %
    double confidence = 0;    // that the factor is no chance, corrected for all compared; 0: none
    base::WallTime since;     // the first of them
    base::WallTime last;
    std::vector<std::string> rays;
    std::string sentence;
    bool of_attempts = false;  // what is counted above; else requests
    bool hidden = false;       // a retry saved each of them: no visitor saw one
    bool compared = true;      // false: no success is on record, so the counts are no shares
    static constexpr size_t kRays = 5;

    std::string_view unit() const { return of_attempts ? "attempts" : "requests"; }
    double inside_rate() const { return rate(failed_inside, all_inside); }
    double outside_rate() const { return rate(failed_outside, all_outside); }

  private:
    static double rate(uint64_t failed, uint64_t all) {
        return all == 0 ? 0 : static_cast<double>(failed) / static_cast<double>(all);
    }
};

/// Takes records one by one; its memory does not grow with them.
class FindingsMaker {
  public:
    void take(const record::Record& record);
    /// The most frequent first. Few: one cause gives one finding, of the factor that explains most.
    std::vector<TrafficFinding> findings() const;
    uint64_t requests() const { return requests_; }

    static constexpr uint64_t kLeastFailures = 5;  // of one cause; below that it is chance
    // What retries hide costs time, and fails where a request cannot be sent again; a few are
    // usual.
    static constexpr uint64_t kLeastHidden = 20;
    static constexpr double kLeastHiddenShare = 0.005;  // of all requests

  private:
    struct Counts {
        uint64_t all = 0;
        std::map<cause::Cause, uint64_t> failed;
    };
    using Key = std::pair<std::string_view, std::string>;
    /// What is compared with each other: requests, or attempts. A retry hides most failures on
    /// connections that were used before, so connections are judged by attempts.
    struct Trials {
        void take(std::vector<Factor> factors, cause::Cause cause);

        const bool of_attempts = false;
        Counts total;
        std::map<Key, Counts> by;
        std::map<std::string_view, size_t> values;  // how many each factor has
    };
    struct OfCause {
        void note(const record::Record& record, int64_t minute);

        uint64_t count = 0;
        base::WallTime since = base::WallTime::max();
        base::WallTime last = base::WallTime::min();
        std::deque<std::string> rays;             // the newest
        std::map<int64_t, uint64_t> minutes;      // bounded by kMaximumMinutes
        std::map<int64_t, uint64_t> round_times;  // seconds, where they ended after a round number
    };

    TrafficFinding finding_of(cause::Cause cause, const OfCause& of_cause) const;
    void compare(const OfCause& of_cause, TrafficFinding& finding) const;
    void find_factor(const Trials& trials, double comparisons, double& best,
                     TrafficFinding& finding) const;
    void find_burst(const OfCause& of_cause, TrafficFinding& finding) const;

    uint64_t requests_ = 0;
    uint64_t successes_ = 0;  // that are no cases, which are kept as long as failures
    Trials by_request_;
    Trials by_attempt_{.of_attempts = true, .total = {}, .by = {}, .values = {}};
    std::map<cause::Cause, OfCause> causes_;
    std::map<cause::Cause, OfCause> hidden_;
    std::map<int64_t, uint64_t> minutes_;  // all requests
};

}  // namespace edgecase::diagnose
