#include "net/task_set.hpp"

namespace edgecase::net {

TaskSet::Root TaskSet::run(Task<void> task) {
    // NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): task is a value
    co_await std::move(task);
}

void TaskSet::spawn(Task<void> task) {
    const Root root = run(std::move(task));
    link(root.handle.promise());
    root.handle.resume();
}

void TaskSet::cancel_all() {
    while (first_ != nullptr) {
        Root::promise_type& promise = *first_;
        unlink(promise);
        std::coroutine_handle<Root::promise_type>::from_promise(promise).destroy();
    }
}

void TaskSet::link(Root::promise_type& promise) {
    promise.set = this;
    promise.next = first_;
    if (first_ != nullptr) first_->previous = &promise;
    first_ = &promise;
    ++size_;
}

void TaskSet::unlink(Root::promise_type& promise) {
    if (promise.previous != nullptr) promise.previous->next = promise.next;
    if (promise.next != nullptr) promise.next->previous = promise.previous;
    if (first_ == &promise) first_ = promise.next;
    promise.previous = promise.next = nullptr;
    --size_;
}

}  // namespace edgecase::net
