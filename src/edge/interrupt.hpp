// Owns the ways an exchange is called away from waiting on its origin: the client left, or the
// upload ended.
#pragma once

#include <coroutine>

#include "net/descriptor.hpp"
#include "net/loop.hpp"
#include "net/stream.hpp"
#include "net/task.hpp"

namespace edgecase::edge {

/// Fired by Loop::fire_soon, so never from within the stack of the coroutine that caused it. It
/// ends the read or the join that the exchange waits in; the exchange then looks why.
class Interrupt : public net::Timer {
  public:
    Interrupt() : Timer([](Timer& t) { static_cast<Interrupt&>(t).on_fire(); }) {}

    /// The descriptor whose pending read is to be ended; null for none.
    void set_target(net::Descriptor* target) { target_ = target; }

    /// Waits for the background task or the interrupt. True: the task is done.
    template <typename T>
    auto join(net::Background<T>& task) {
        struct Awaiter {
            Interrupt& interrupt;
            net::Background<T>& task;
            bool await_ready() { return task.done(); }
            void await_suspend(std::coroutine_handle<> handle) {
                task.set_continuation(handle);
                interrupt.waiting_ = handle;
            }
            bool await_resume() {
                interrupt.waiting_ = {};
                if (!task.done()) task.set_continuation({});
                return task.done();
            }
        };
        return Awaiter{*this, task};
    }

  private:
    void on_fire() {
        if (waiting_) {
            std::exchange(waiting_, {}).resume();
        } else if (target_ != nullptr) {
            target_->cancel_read();
        }
    }

    net::Descriptor* target_ = nullptr;
    std::coroutine_handle<> waiting_;
};

/// Notices that the client has closed or reset its connection while nobody reads from it.
class ClientWatch : net::Waiter {
  public:
    ClientWatch(net::Stream& client, Interrupt& interrupt)
        : Waiter([](Waiter& w) { static_cast<ClientWatch&>(w).on_hangup(); }),
          client_(client),
          interrupt_(interrupt) {}
    ~ClientWatch() { stop(); }

    void start() {
        net::Descriptor& descriptor = client_.descriptor();
        if (descriptor.read_closed) {
            on_hangup();
        } else {
            descriptor.on_hangup = this;
        }
    }
    void stop() {
        if (client_ && client_.descriptor().on_hangup == this) {
            client_.descriptor().on_hangup = nullptr;
        }
    }
    bool gone() const { return gone_; }

  private:
    void on_hangup() {
        gone_ = true;
        client_.descriptor().loop().fire_soon(interrupt_);
    }

    net::Stream& client_;
    Interrupt& interrupt_;
    bool gone_ = false;
};

}  // namespace edgecase::edge
