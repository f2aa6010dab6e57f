// Owns the counting of durations by size: percentiles with a known error, cheap to add and to
// merge.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace edgecase::record {

/// Sixteen steps to each doubling, from 1 us to 19 hours: a percentile is at most 3.2 % away from
/// the true one. The maximum is exact.
class LatencyHistogram {
  public:
    /// Negative: not known, not counted. Below 16 us each microsecond has its own step.
    void add(int64_t duration_us) {
        if (duration_us < 0) return;
        ++counts_[index_of(static_cast<uint64_t>(duration_us))];
        ++total_;
        maximum_us_ = std::max(maximum_us_, duration_us);
    }
    /// The step that add() counts it in; 0 when it is not known.
    static constexpr uint16_t step_of(int64_t duration_us) {
        return duration_us < 0
                   ? uint16_t{0}
                   : static_cast<uint16_t>(index_of(static_cast<uint64_t>(duration_us)));
    }
    void merge(const LatencyHistogram& other);

    uint64_t total() const { return total_; }
    int64_t maximum_us() const { return maximum_us_; }
    /// Of `share` 0 to 1, such as 0.99: the middle of the step in which it lies. Empty: no entries.
    std::optional<int64_t> percentile_us(double share) const;

    /// Varints: maximum, then for each step in use its distance from the one before and its count.
    std::string encode() const;
    /// What encode() gave, read once to be added to several.
    struct Encoded {
        int64_t maximum_us = 0;
        uint64_t total = 0;
        std::vector<std::pair<uint32_t, uint64_t>> steps;

        /// False: the bytes are damaged, and only what came before the damage is there.
        bool read(std::string_view bytes);
        /// The same bytes; steps in rising order.
        std::string write() const;
    };
    void merge(const Encoded& encoded);
    /// Adds what encode() gave. False: as above.
    bool merge_encoded(std::string_view bytes);

  private:
    static constexpr unsigned kStepBits = 4;
    static constexpr uint64_t kSteps = uint64_t{1} << kStepBits;
    static constexpr unsigned kHighestBit = 36;
    static constexpr size_t kSize = (kHighestBit - kStepBits + 1) * kSteps;

    static constexpr size_t index_of(uint64_t value) {
        value = std::min(value, (uint64_t{1} << kHighestBit) - 1);
        if (value < kSteps) return value;
        const auto shift = static_cast<unsigned>(std::bit_width(value)) - kStepBits - 1;
        return (size_t{shift} << kStepBits) + static_cast<size_t>(value >> shift);
    }
    static int64_t middle_of(size_t index);

    std::array<uint64_t, kSize> counts_{};
    uint64_t total_ = 0;
    int64_t maximum_us_ = 0;
};

}  // namespace edgecase::record
