// Owns the counting of events over the last ten seconds.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace edgecase::h2 {

/// A rate is measured over ten seconds so that a burst, as of a page being left, is no flood.
class RateCounter {
  public:
    static constexpr int64_t kSeconds = 10;

    /// Counts one event. False: there were more than `per_second` on average.
    bool add(base::SteadyTime now, uint32_t per_second) {
        const int64_t second =
            std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
        if (second - newest_ >= kSeconds) {
            buckets_.fill(0);
            total_ = 0;
            newest_ = second;
        }
        while (newest_ < second) {
            ++newest_;
            total_ -= bucket(newest_);
            bucket(newest_) = 0;
        }
        ++bucket(newest_);
        return ++total_ <= uint64_t{per_second} * kSeconds;
    }

  private:
    uint32_t& bucket(int64_t second) {
        return buckets_[static_cast<size_t>(second < 0 ? -second : second) % kSeconds];
    }

    std::array<uint32_t, kSeconds> buckets_{};
    uint64_t total_ = 0;
    int64_t newest_ = 0;
};

}  // namespace edgecase::h2
