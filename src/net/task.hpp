// Owns the task: a lazy coroutine that belongs to whoever awaits it.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

#include "net/frame_pool.hpp"

namespace edgecase::net {

template <typename T>
class Task;

namespace detail {

struct PromiseBase {
    std::coroutine_handle<> continuation = std::noop_coroutine();

    static void* operator new(size_t size) { return allocate_frame(size); }
    static void operator delete(void* frame, size_t size) { free_frame(frame, size); }

    std::suspend_always initial_suspend() noexcept { return {}; }
    struct FinalAwaiter {
        bool await_ready() noexcept { return false; }
        template <typename Promise>
        std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) noexcept {
            return self.promise().continuation;
        }
        void await_resume() noexcept {}
    };
    FinalAwaiter final_suspend() noexcept { return {}; }
    // Network input never throws here; what does is a bug, and no state after it can be trusted.
    [[noreturn]] void unhandled_exception() noexcept { std::terminate(); }
};

template <typename T>
struct Promise : PromiseBase {
    std::optional<T> value;
    Task<T> get_return_object();
    template <typename U>
    void return_value(U&& result) {
        value.emplace(std::forward<U>(result));
    }
    T take() { return std::move(*value); }
};

template <>
struct Promise<void> : PromiseBase {
    Task<void> get_return_object();
    void return_void() {}
    void take() {}
};

}  // namespace detail

/// Runs when awaited; destroying it cancels it wherever it stands.
template <typename T = void>
class [[nodiscard]] Task {
  public:
    using promise_type = detail::Promise<T>;
    using Handle = std::coroutine_handle<promise_type>;

    Task() = default;
    explicit Task(Handle handle) : handle_(handle) {}
    Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
    Task& operator=(Task&& other) noexcept {
        if (this != &other) {
            if (handle_) handle_.destroy();
            handle_ = std::exchange(other.handle_, {});
        }
        return *this;
    }
    ~Task() {
        if (handle_) handle_.destroy();
    }

    auto operator co_await() && {
        struct Awaiter {
            Handle handle;
            bool await_ready() { return false; }
            std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) {
                handle.promise().continuation = awaiting;
                return handle;
            }
            T await_resume() { return handle.promise().take(); }
        };
        return Awaiter{handle_};
    }

    Handle handle() const { return handle_; }

  private:
    Handle handle_;
};

namespace detail {

template <typename T>
Task<T> Promise<T>::get_return_object() {
    return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}

inline Task<void> Promise<void>::get_return_object() {
    return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}

}  // namespace detail

/// A task that runs beside its owner on the same loop; the owner may join it or, by destroying
/// this, cancel it.
template <typename T>
class [[nodiscard]] Background {
  public:
    explicit Background(Task<T> task) : task_(std::move(task)) {}
    Background(Background&&) = delete;
    Background& operator=(Background&&) = delete;

    /// Runs the task up to its first suspension.
    void start() { task_.handle().resume(); }
    bool done() const { return task_.handle().done(); }
    /// Only after done.
    T result() { return task_.handle().promise().take(); }

    /// Who is resumed when the task ends; nobody for a null handle.
    void set_continuation(std::coroutine_handle<> handle) {
        task_.handle().promise().continuation =
            handle ? handle : std::coroutine_handle<>(std::noop_coroutine());
    }

    auto join() {
        struct Awaiter {
            Background& self;
            bool await_ready() { return self.done(); }
            void await_suspend(std::coroutine_handle<> awaiting) {
                self.task_.handle().promise().continuation = awaiting;
            }
            T await_resume() { return self.result(); }
        };
        return Awaiter{*this};
    }

  private:
    Task<T> task_;
};

}  // namespace edgecase::net
