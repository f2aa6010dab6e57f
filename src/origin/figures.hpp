// Owns what one worker shows of its connections to one origin: written by its thread, read by any.
#pragma once

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
        closed_.store(closed() + 1, std::memory_order_relaxed);
        idle_close_ms_.store(idle_ms, std::memory_order_relaxed);
    }

    size_t active() const { return active_.load(std::memory_order_relaxed); }
    size_t idle() const { return idle_.load(std::memory_order_relaxed); }
    uint64_t closed() const { return closed_.load(std::memory_order_relaxed); }
    /// Of the last one that the origin closed; -1: none yet.
    int64_t idle_close_ms() const { return idle_close_ms_.load(std::memory_order_relaxed); }

  private:
    std::atomic<size_t> active_{0};  // connections and streams in use, those being made included
    std::atomic<size_t> idle_{0};    // connections kept
    std::atomic<uint64_t> closed_{0};
    std::atomic<int64_t> idle_close_ms_{-1};
};

}  // namespace edgecase::origin
