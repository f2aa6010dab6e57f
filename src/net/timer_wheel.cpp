#include "net/timer_wheel.hpp"

#include <algorithm>
#include <bit>

namespace edgecase::net {

int64_t TimerWheel::tick_of(base::SteadyTime time) const {
    return (time - start_) / kTick;
}

void TimerWheel::arm(Timer& timer, base::Deadline deadline) {
    timer.disarm();
    if (deadline.is_never()) return;
    // The tick after the one the deadline falls in: never early, at most one tick late.
    timer.due_tick_ = std::max(tick_of(deadline.time()) + 1, tick_ + 1);
    const size_t slot = slot_of(timer.due_tick_);
    slots_[slot].push_back(timer);
    maybe_used_[slot / 64] |= uint64_t{1} << (slot % 64);
}

void TimerWheel::advance(base::SteadyTime now) {
    const int64_t target = tick_of(now);
    if (target <= tick_) return;
    // A sleep longer than one turn visits every slot once; that finds all that is due.
    const int64_t first = std::max(tick_ + 1, target - static_cast<int64_t>(kSlots) + 1);
    tick_ = target;
    for (int64_t tick = first; tick <= target; ++tick) {
        const size_t slot = slot_of(tick);
        const uint64_t bit = uint64_t{1} << (slot % 64);
        if ((maybe_used_[slot / 64] & bit) == 0) continue;
        // What is due moves to a list of its own first: firing may arm timers in this very slot.
        TimerList due;
        slots_[slot].move_if(due, [&](Timer& timer) { return timer.due_tick_ <= target; });
        while (!due.empty()) {
            Timer& timer = due.front();
            timer.disarm();
            timer.fire();
        }
        if (slots_[slot].empty()) maybe_used_[slot / 64] &= ~bit;
    }
}

base::Deadline TimerWheel::next_wake() const {
    constexpr size_t kWords = kSlots / 64;
    const size_t start = slot_of(tick_ + 1);
    for (size_t i = 0; i <= kWords; ++i) {
        const size_t word = (start / 64 + i) % kWords;
        uint64_t bits = maybe_used_[word];
        if (i == 0) bits &= ~uint64_t{0} << (start % 64);
        if (i == kWords) bits &= ~(~uint64_t{0} << (start % 64));
        if (bits == 0) continue;
        const size_t slot = word * 64 + static_cast<size_t>(std::countr_zero(bits));
        const size_t distance = (slot + kSlots - start) % kSlots;
        return base::Deadline::at(start_ + kTick * (tick_ + 1 + static_cast<int64_t>(distance)));
    }
    return base::Deadline::never();
}

}  // namespace edgecase::net
