// Owns a wait for something that another task on the same loop brings about.
#pragma once

#include <coroutine>

#include "base/deadline.hpp"
#include "net/loop.hpp"
#include "net/timer_wheel.hpp"

namespace edgecase::net {

class Signal {
  public:
    explicit Signal(Loop& loop) : loop_(loop) {}

    /// All who wait now go on, outside the caller's stack.
    void notify_all() { loop_.fire_soon(waiting_); }

    /// Until notify_all() or the deadline. False: the deadline came first.
    auto wait(base::Deadline deadline) {
        struct Wait : Timer {
            Wait(Loop& loop, TimerList& list, base::Deadline until)
                : Timer([](Timer& t) { static_cast<Wait&>(t).waiting.resume(); }),
                  loop_(loop),
                  list_(list),
                  limit_(until, *this) {}
            struct Limit : Timer {
                Limit(base::Deadline d, Wait& w)
                    : Timer([](Timer& t) {
                          auto& self = static_cast<Limit&>(t);
                          self.wait.disarm();
                          self.wait.timed_out = true;
                          self.wait.waiting.resume();
                      }),
                      until(d),
                      wait(w) {}
                base::Deadline until;
                Wait& wait;
            };
            bool await_ready() { return false; }
            void await_suspend(std::coroutine_handle<> handle) {
                waiting = handle;
                list_.push_back(*this);
                loop_.timers().arm(limit_, limit_.until);
            }
            bool await_resume() {
                limit_.disarm();
                return !timed_out;
            }
            std::coroutine_handle<> waiting;
            bool timed_out = false;
            Loop& loop_;
            TimerList& list_;
            Limit limit_;
        };
        return Wait(loop_, waiting_, deadline);
    }

  private:
    Loop& loop_;
    TimerList waiting_;
};

}  // namespace edgecase::net
