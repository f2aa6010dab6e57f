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

    Counter connections_accepted;
    Counter connections_open;
    Counter requests;
    Counter retries;
    Counter early_hints;  // made by the edge
    Counter response_bytes;
    std::array<Counter, 6> responses_by_class;  // index: status / 100; 0: none was sent
    std::array<Counter, kCauses> by_cause;      // index: the cause's number
};

}  // namespace edgecase::edge
