#include "net/loop.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>

#include "net/descriptor.hpp"

namespace edgecase::net {
namespace {

constexpr size_t kEventsPerBatch = 256;

}  // namespace

std::expected<std::unique_ptr<Loop>, Error> Loop::create(const base::Clock& clock) {
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) return std::unexpected(Error::of(errno));
    const int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = nullptr;  // the only null: everything else is a Descriptor
    if (wake < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, wake, &event) != 0) {
        const Error error = Error::of(errno);
        ::close(epoll);
        if (wake >= 0) ::close(wake);
        return std::unexpected(error);
    }
    return std::unique_ptr<Loop>(new Loop(clock, epoll, wake));
}

Loop::Loop(const base::Clock& clock, int epoll, int wake)
    : clock_(clock), epoll_(epoll), wake_(wake), now_(clock.now()), timers_(now_) {}

Loop::~Loop() {
    ::close(wake_);
    ::close(epoll_);
}

void Loop::run() {
    std::array<epoll_event, kEventsPerBatch> events;
    while (!stopped_.load(std::memory_order_relaxed)) {
        const int count =
            epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait_ms());
        now_ = clock_.now();
        const std::span<const epoll_event> batch(events.data(),
                                                 static_cast<size_t>(std::max(count, 0)));
        heard_all_ = batch.size() < events.size();
        for (const epoll_event& event : batch) {
            if (event.data.ptr != nullptr) {
                static_cast<Descriptor*>(event.data.ptr)->note(event.events);
            }
        }
        for (const epoll_event& event : batch) {
            if (event.data.ptr == nullptr) {
                run_posted();
            } else {
                static_cast<Descriptor*>(event.data.ptr)->dispatch();
            }
        }
        run_ready();
        timers_.advance(now_);
        retired_.clear();
    }
    stopped_ = false;
}

void Loop::stop() {
    stopped_ = true;
    const uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_, &one, sizeof one);
}

void Loop::post(std::move_only_function<void()> work) {
    {
        const std::lock_guard lock(posted_mutex_);
        posted_.push_back(std::move(work));
    }
    const uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_, &one, sizeof one);
}

void Loop::run_posted() {
    uint64_t count = 0;
    [[maybe_unused]] const auto read = ::read(wake_, &count, sizeof count);
    std::vector<std::move_only_function<void()>> posted;
    {
        const std::lock_guard lock(posted_mutex_);
        posted.swap(posted_);
    }
    for (auto& work : posted) work();
}

void Loop::run_ready() {
    TimerList batch;
    ready_.move_if(batch, [](Timer&) { return true; });
    while (!batch.empty()) {
        Timer& timer = batch.front();
        timer.disarm();
        timer.fire();
    }
}

int Loop::wait_ms() const {
    if (!ready_.empty()) return 0;
    const base::Deadline wake = timers_.next_wake();
    if (wake.is_never()) return -1;
    const auto span = wake.time() - clock_.now();
    if (span.count() <= 0) return 0;
    // Rounded up: waking a fraction early would spin.
    return static_cast<int>(base::milliseconds(span)) + 1;
}

void Loop::retire(std::unique_ptr<Descriptor> descriptor) {
    retired_.push_back(std::move(descriptor));
}

}  // namespace edgecase::net
