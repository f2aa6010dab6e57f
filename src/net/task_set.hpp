// Owns tasks nobody awaits: the sessions of a server. Destroying the set cancels them all.
#pragma once

#include <coroutine>
#include <cstddef>

#include "net/task.hpp"

namespace edgecase::net {

class TaskSet {
  public:
    TaskSet() = default;
    TaskSet(const TaskSet&) = delete;
    TaskSet& operator=(const TaskSet&) = delete;
    ~TaskSet() { cancel_all(); }

    /// Starts `task` at once; its frame is freed when it ends.
    void spawn(Task<void> task);
    size_t size() const { return size_; }
    void cancel_all();

  private:
    struct Root {
        struct promise_type {
            TaskSet* set = nullptr;
            promise_type* previous = nullptr;
            promise_type* next = nullptr;

            static void* operator new(size_t size) { return allocate_frame(size); }
            static void operator delete(void* frame, size_t size) { free_frame(frame, size); }
            Root get_return_object() {
                return {std::coroutine_handle<promise_type>::from_promise(*this)};
            }
            std::suspend_always initial_suspend() noexcept { return {}; }
            // Never suspends at the end: the frame frees itself, and with it the finished task.
            std::suspend_never final_suspend() noexcept {
                set->unlink(*this);
                return {};
            }
            void return_void() {}
            [[noreturn]] void unhandled_exception() noexcept { std::terminate(); }
        };
        std::coroutine_handle<promise_type> handle;
    };
    static Root run(Task<void> task);
    void link(Root::promise_type& promise);
    void unlink(Root::promise_type& promise);

    Root::promise_type* first_ = nullptr;
    size_t size_ = 0;
};

}  // namespace edgecase::net
