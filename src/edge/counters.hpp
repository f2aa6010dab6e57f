// Owns the counters of one worker: written by its thread, read by any.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "cause/table.hpp"

namespace edgecase::edge {

class Counter {
  public:
    /// Only on the owning thread.
    void add(uint64_t by = 1) {
        value_.store(value_.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
    }
    void subtract(uint64_t by = 1) {
        value_.store(value_.load(std::memory_order_relaxed) - by, std::memory_order_relaxed);
    }
    uint64_t get() const { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<uint64_t> value_{0};
};

struct Counters {
    static constexpr size_t kCauses = 512;  // numbers of causes stay below

    /// Upper bounds of the steps that durations are counted in; what takes longer has one more.
    static constexpr std::array<int64_t, 12> kDurationBoundsUs{
        1'000,   5'000,   10'000,    25'000,    50'000,    100'000,
        250'000, 500'000, 1'000'000, 2'500'000, 5'000'000, 10'000'000};

    void add_duration(int64_t us) {
        size_t step = 0;
        while (step < kDurationBoundsUs.size() && us > kDurationBoundsUs[step]) ++step;
        durations[step].add();
        duration_us.add(static_cast<uint64_t>(us));
    }

    Counter connections_accepted;
    Counter connections_open;
    Counter requests;
    Counter retries;
    Counter early_hints;  // made by the edge
    Counter response_bytes;
    std::array<Counter, 6> responses_by_class;  // index: status / 100; 0: none was sent
    std::array<Counter, kDurationBoundsUs.size() + 1> durations;
    Counter duration_us;                    // the sum
    std::array<Counter, kCauses> by_cause;  // index: the cause's number
};

}  // namespace edgecase::edge
