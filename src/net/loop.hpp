// Owns the event loop of one thread: epoll, timers, and work posted from other threads.
#pragma once

#include <atomic>
#include <coroutine>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/clock.hpp"
#include "base/deadline.hpp"
#include "net/error.hpp"
#include "net/timer_wheel.hpp"

namespace edgecase::net {

class Descriptor;

class Loop {
  public:
    /// Errors: the kernel's (too many descriptors).
    static std::expected<std::unique_ptr<Loop>, Error> create(const base::Clock& clock);
    ~Loop();

    /// Runs until stop(); only on one thread.
    void run();
    /// From any thread; run() returns after the current batch.
    void stop();
    /// From any thread: `work` runs on the loop's thread. Bounded by the caller.
    void post(std::move_only_function<void()> work);

    const base::Clock& clock() const { return clock_; }
    /// The time this batch of events began: cheap, good enough for deadlines.
    base::SteadyTime now() const { return now_; }
    /// Whether the flags of all descriptors are as the kernel knew them when this batch began; with
    /// more events than a batch holds some are still to be told.
    bool heard_all() const { return heard_all_; }
    base::Deadline after(base::Duration span) const { return base::Deadline::after(now_, span); }
    TimerWheel& timers() { return timers_; }

    /// Fires `timer` soon, outside the caller's stack.
    void fire_soon(Timer& timer) {
        timer.disarm();
        ready_.push_back(timer);
    }
    /// The same for all timers of a list.
    void fire_soon(TimerList& timers) {
        timers.move_if(ready_, [](Timer&) { return true; });
    }

    /// Sleeps until the deadline (forever if never).
    auto sleep_until(base::Deadline deadline) {
        struct Awaiter : Timer {
            Awaiter(Loop& loop, base::Deadline until)
                : Timer([](Timer& t) { static_cast<Awaiter&>(t).waiting.resume(); }),
                  loop_(loop),
                  until_(until) {}
            bool await_ready() { return until_.passed(loop_.now()); }
            void await_suspend(std::coroutine_handle<> handle) {
                waiting = handle;
                loop_.timers().arm(*this, until_);
            }
            void await_resume() {}
            std::coroutine_handle<> waiting;
            Loop& loop_;
            base::Deadline until_;
        };
        return Awaiter(*this, deadline);
    }

    /// Lets all other ready work run first, so that one busy stream cannot starve the rest.
    auto yield() {
        struct Awaiter : Timer {
            explicit Awaiter(Loop& loop)
                : Timer([](Timer& t) { static_cast<Awaiter&>(t).waiting.resume(); }), loop_(loop) {}
            bool await_ready() { return false; }
            void await_suspend(std::coroutine_handle<> handle) {
                waiting = handle;
                loop_.fire_soon(*this);
            }
            void await_resume() {}
            std::coroutine_handle<> waiting;
            Loop& loop_;
        };
        return Awaiter(*this);
    }

  private:
    friend class Descriptor;
    Loop(const base::Clock& clock, int epoll, int wake);

    void run_posted();
    void run_ready();
    int wait_ms() const;
    void retire(std::unique_ptr<Descriptor> descriptor);

    const base::Clock& clock_;
    int epoll_;
    int wake_;  // eventfd
    base::SteadyTime now_;
    bool heard_all_ = true;
    TimerWheel timers_;
    TimerList ready_;  // what yielded; a list of timers so that destroying the waiter removes it
    std::atomic<bool> stopped_ = false;
    std::mutex posted_mutex_;
    std::vector<std::move_only_function<void()>> posted_;
    std::vector<std::unique_ptr<Descriptor>> retired_;
};

}  // namespace edgecase::net
