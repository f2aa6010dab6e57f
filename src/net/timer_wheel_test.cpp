#include "net/timer_wheel.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace edgecase::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const base::SteadyTime kStart{std::chrono::hours(1)};

struct Probe : Timer {
    Probe() : Timer([](Timer& t) { ++static_cast<Probe&>(t).fired; }) {}
    int fired = 0;
};

base::Deadline in(milliseconds span) {
    return base::Deadline::after(kStart, span);
}

TEST(TimerWheel, fires_at_the_deadline_and_never_before) {
    TimerWheel wheel(kStart);
    Probe probe;
    wheel.arm(probe, in(milliseconds(100)));
    wheel.advance(kStart + milliseconds(99));
    EXPECT_EQ(probe.fired, 0);
    wheel.advance(kStart + milliseconds(108));
    EXPECT_EQ(probe.fired, 1);
    EXPECT_FALSE(probe.armed());
}

TEST(TimerWheel, keeps_timers_longer_than_one_turn) {
    TimerWheel wheel(kStart);
    Probe probe;
    wheel.arm(probe, in(seconds(900)));
    for (int s = 1; s < 900; s += 3) wheel.advance(kStart + seconds(s));
    EXPECT_EQ(probe.fired, 0);
    wheel.advance(kStart + seconds(901));
    EXPECT_EQ(probe.fired, 1);
}

TEST(TimerWheel, a_sleep_over_many_turns_fires_all_that_is_due) {
    TimerWheel wheel(kStart);
    std::vector<Probe> probes(100);
    for (size_t i = 0; i < probes.size(); ++i) wheel.arm(probes[i], in(milliseconds(37 * i + 1)));
    wheel.advance(kStart + seconds(60));
    for (const Probe& probe : probes) EXPECT_EQ(probe.fired, 1);
}

TEST(TimerWheel, disarmed_and_destroyed_timers_do_not_fire) {
    TimerWheel wheel(kStart);
    Probe probe;
    wheel.arm(probe, in(milliseconds(10)));
    probe.disarm();
    {
        Probe gone;
        wheel.arm(gone, in(milliseconds(10)));
    }
    wheel.advance(kStart + seconds(1));
    EXPECT_EQ(probe.fired, 0);
}

TEST(TimerWheel, next_wake_is_never_late) {
    TimerWheel wheel(kStart);
    EXPECT_TRUE(wheel.next_wake().is_never());
    Probe probe;
    wheel.arm(probe, in(milliseconds(50)));
    const base::Deadline wake = wheel.next_wake();
    EXPECT_GE(wake.time(), kStart + milliseconds(50));
    EXPECT_LE(wake.time(), kStart + milliseconds(50) + 2 * TimerWheel::kTick);
    wheel.advance(wake.time());
    EXPECT_EQ(probe.fired, 1);
}

TEST(TimerWheel, a_timer_may_arm_itself_again_while_firing) {
    struct Again : Timer {
        explicit Again(TimerWheel& w)
            : Timer([](Timer& t) {
                  auto& self = static_cast<Again&>(t);
                  if (++self.fired < 3) self.wheel.arm(self, in(milliseconds(1)));
              }),
              wheel(w) {}
        TimerWheel& wheel;
        int fired = 0;
    };
    TimerWheel wheel(kStart);
    Again again(wheel);
    wheel.arm(again, in(milliseconds(1)));
    for (int i = 1; i < 20; ++i) wheel.advance(kStart + milliseconds(10 * i));
    EXPECT_EQ(again.fired, 3);
}

}  // namespace
}  // namespace edgecase::net
