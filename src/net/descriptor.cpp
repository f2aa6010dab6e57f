#include "net/descriptor.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include "net/loop.hpp"

namespace edgecase::net {

Descriptor* Descriptor::watch(Loop& loop, int fd) {
    std::unique_ptr<Descriptor> descriptor(new Descriptor(loop, fd));
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = descriptor.get();
    if (epoll_ctl(loop.epoll_, EPOLL_CTL_ADD, fd, &event) != 0) {
        ::close(fd);
        return nullptr;
    }
    return descriptor.release();
}

void Descriptor::close(bool shared) {
    if (fd_ < 0) return;
    reader = writer = on_hangup = nullptr;
    // The last descriptor of an open file takes it out of the epoll set; a shared one does not.
    if (shared) epoll_ctl(loop_.epoll_, EPOLL_CTL_DEL, fd_, nullptr);
    ::close(fd_);
    fd_ = -1;
    loop_.retire(std::unique_ptr<Descriptor>(this));
}

void Descriptor::note(uint32_t events) {
    const bool gone = (events & (EPOLLHUP | EPOLLERR)) != 0;
    if (gone) hung_up = true;
    if (gone || (events & EPOLLRDHUP) != 0) read_closed = true;
    if (gone || (events & (EPOLLIN | EPOLLRDHUP)) != 0) readable = true;
    if (gone || (events & EPOLLOUT) != 0) writable = true;
}

void Descriptor::dispatch() {
    // Each wake may close this descriptor: fd_ tells, and the loop keeps the memory until later.
    if (fd_ < 0) return;
    if (read_closed && on_hangup != nullptr) {
        Waiter* const waiter = on_hangup;
        on_hangup = nullptr;
        waiter->wake();
    }
    if (fd_ >= 0 && readable && reader != nullptr) reader->wake();
    if (fd_ >= 0 && writable && writer != nullptr) writer->wake();
}

}  // namespace edgecase::net
