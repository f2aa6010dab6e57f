// Owns pending timers: a coarse hashed wheel with O(1) arm and disarm.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

#include "base/deadline.hpp"

namespace edgecase::net {

/// A timer lives in whoever waits; destroying an armed one disarms it.
class Timer {
  public:
    using Fire = void (*)(Timer&);

    explicit Timer(Fire fire) : fire_(fire) {}
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    ~Timer() { disarm(); }

    bool armed() const { return next_ != nullptr; }
    void disarm() {
        if (next_ == nullptr) return;
        previous_->next_ = next_;
        next_->previous_ = previous_;
        next_ = previous_ = nullptr;
    }

    void fire() { fire_(*this); }

  private:
    friend class TimerList;
    friend class TimerWheel;
    Timer* next_ = nullptr;
    Timer* previous_ = nullptr;
    int64_t due_tick_ = 0;
    Fire fire_;
};

/// Timers in order of arrival; each leaves by itself when it is disarmed or destroyed.
class TimerList {
  public:
    TimerList() { head_.next_ = head_.previous_ = &head_; }
    ~TimerList() {
        while (!empty()) front().disarm();
        head_.next_ = head_.previous_ = nullptr;
    }
    bool empty() const { return head_.next_ == &head_; }
    Timer& front() { return *head_.next_; }
    void push_back(Timer& timer) {
        timer.previous_ = head_.previous_;
        timer.next_ = &head_;
        head_.previous_->next_ = &timer;
        head_.previous_ = &timer;
    }
    /// Moves all timers that `chosen` picks to the end of `other`, in order.
    template <typename Chosen>
    void move_if(TimerList& other, Chosen chosen) {
        for (Timer* timer = head_.next_; timer != &head_;) {
            Timer* const next = timer->next_;
            if (chosen(*timer)) {
                timer->disarm();
                other.push_back(*timer);
            }
            timer = next;
        }
    }

  private:
    Timer head_{nullptr};
};

class TimerWheel {
  public:
    static constexpr std::chrono::milliseconds kTick{4};  // timeouts here are 100 ms and more
    static constexpr size_t kSlots = 2048;                // one turn: 8.2 s

    explicit TimerWheel(base::SteadyTime start) : start_(start) {}

    /// Arms (or re-arms) `timer`; it fires in the first advance() at or after the deadline.
    void arm(Timer& timer, base::Deadline deadline);
    /// Fires all timers due at `now`.
    void advance(base::SteadyTime now);
    /// When to call advance() next, at the latest; never when no timer is armed. May be early.
    base::Deadline next_wake() const;

  private:
    int64_t tick_of(base::SteadyTime time) const;
    size_t slot_of(int64_t tick) const { return static_cast<size_t>(tick) % kSlots; }

    base::SteadyTime start_;
    int64_t tick_ = 0;  // all earlier ticks are done
    std::array<TimerList, kSlots> slots_;
    std::array<uint64_t, kSlots / 64> maybe_used_{};  // a clear bit means the slot is empty
};

}  // namespace edgecase::net
