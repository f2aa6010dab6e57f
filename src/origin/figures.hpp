// Owns what one worker shows of its connections to one origin: written by its thread, read by any.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace edgecase::origin {

/// Numbers of one worker. On a cache line of their own, so that showing costs nobody anything.
class alignas(64) Figures {
  public:
    // Only on the owning thread:
    void set_active(size_t count) { active_.store(count, std::memory_order_relaxed); }
    void set_idle(size_t count) { idle_.store(count, std::memory_order_relaxed); }
    /// The origin closed a connection that had been idle so long.
    void origin_closed(int64_t idle_ms) {
        idle_close_ms_[closed() % kRemembered].store(idle_ms, std::memory_order_relaxed);
        closed_.store(closed() + 1, std::memory_order_relaxed);
    }

    size_t active() const { return active_.load(std::memory_order_relaxed); }
    size_t idle() const { return idle_.load(std::memory_order_relaxed); }
    uint64_t closed() const { return closed_.load(std::memory_order_relaxed); }
    /// The longest that one of the last few which the origin closed had been idle: a restart closes
    /// them sooner, its timeout all at the same age. -1: none yet.
    int64_t idle_close_ms() const {
        int64_t longest = -1;
        const auto known = std::min<uint64_t>(closed(), kRemembered);
        for (size_t place = 0; place < known; ++place) {
            longest = std::max(longest, idle_close_ms_[place].load(std::memory_order_relaxed));
        }
        return longest;
    }

  private:
    std::atomic<size_t> active_{0};  // connections and streams in use, those being made included
    std::atomic<size_t> idle_{0};    // connections kept
    std::atomic<uint64_t> closed_{0};
    static constexpr size_t kRemembered = 8;
    std::array<std::atomic<int64_t>, kRemembered> idle_close_ms_{};
};

}  // namespace edgecase::origin
