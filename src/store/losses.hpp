// Owns what is said about lost records: how many of each kind, why, and not more often than needed.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace edgecase::store {

/// Used by the writer thread only.
class Losses {
  public:
    using Time = std::chrono::steady_clock::time_point;

    /// Since the store was opened.
    struct Totals {
        uint64_t queued_successes = 0;  // the queue had no room for them
        uint64_t queued_cases = 0;
        uint64_t unwritten_successes = 0;  // the file did not take them
        uint64_t unwritten_cases = 0;
        uint64_t unreadable = 0;  // cases that could not be read back: a bug
    };

    /// What the reasons are made of.
    struct Situation {
        size_t queue_cases = 0;  // maximum
        bool failing = false;
        bool ending = false;  // nothing will be written any more: everything is said now
        std::string trouble;  // why the file was not written last
    };

    /// Lines about what was lost and not said yet; at most one of a kind in kLogInterval.
    std::vector<std::string> lines(const Totals& lost, const Situation& situation, Time now);

    /// Writing failed for the first time after it worked.
    void outage_began(const Totals& lost) { before_ = lost; }
    /// `5 success records and 1 case were lost` in the outage that is over.
    std::string outage_ended(const Totals& lost);

  private:
    struct Kind {
        uint64_t said = 0;
        Time next_line;
    };
    /// How many of a kind are to be said now; 0: none, or not yet.
    static uint64_t due(Kind& kind, uint64_t total, bool ending, Time now);

    Kind queued_successes_;
    Kind queued_cases_;
    Kind unwritten_successes_;
    Kind unwritten_cases_;
    Kind unreadable_;
    Totals before_;
};

}  // namespace edgecase::store
