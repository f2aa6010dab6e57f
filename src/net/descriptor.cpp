#include "net/descriptor.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

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

Descriptor* Descriptor::detached(Loop& loop, std::unique_ptr<Layer> layer) {
    std::unique_ptr<Descriptor> descriptor(new Descriptor(loop, -1));
    descriptor->layer = std::move(layer);
    return descriptor.release();
}

void Descriptor::close(bool shared) {
    if (closed_) return;
    closed_ = true;
    reader = writer = on_hangup = nullptr;
    // The last descriptor of an open file takes it out of the epoll set; a shared one does not.
    if (shared && fd_ >= 0) epoll_ctl(loop_.epoll_, EPOLL_CTL_DEL, fd_, nullptr);
    if (fd_ >= 0) ::close(fd_);
    fd_ = carrier = -1;
    loop_.retire(std::unique_ptr<Descriptor>(this));
}

Layer::Result Descriptor::receive(std::span<char> into) {
    if (!readable) return Layer::Result::blocked();
    for (;;) {
        const ssize_t count = ::recv(fd_, into.data(), into.size(), 0);
        if (count >= 0) {
            // A short read means drained (edge-triggered), unless a FIN or error stands behind it.
            if (static_cast<size_t>(count) < into.size() && !read_closed) readable = false;
            return Layer::Result::done(static_cast<size_t>(count));
        }
        if (errno == EINTR) continue;
        if (errno != EAGAIN) return Layer::Result::failed(Error::of(errno));
        readable = false;
        return Layer::Result::blocked();
    }
}

Layer::Result Descriptor::send(std::span<const char> bytes) {
    if (!writable) return Layer::Result::blocked();
    for (;;) {
        const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count >= 0) return Layer::Result::done(static_cast<size_t>(count));
        if (errno == EINTR) continue;
        if (errno != EAGAIN) return Layer::Result::failed(Error::of(errno));
        writable = false;
        return Layer::Result::blocked();
    }
}

void Descriptor::note(uint32_t events) {
    const bool gone = (events & (EPOLLHUP | EPOLLERR)) != 0;
    if (gone) hung_up = true;
    if (gone || (events & EPOLLRDHUP) != 0) read_closed = true;
    if (gone || (events & (EPOLLIN | EPOLLRDHUP)) != 0) readable = true;
    if (gone || (events & EPOLLOUT) != 0) writable = true;
}

void Descriptor::dispatch() {
    // Each wake may close this descriptor; the loop keeps the memory until later.
    if (closed_) return;
    if (read_closed && on_hangup != nullptr) {
        Waiter* const waiter = on_hangup;
        on_hangup = nullptr;
        waiter->wake();
    }
    if (!closed_ && readable && reader != nullptr) reader->wake();
    if (!closed_ && writable && writer != nullptr) writer->wake();
}

}  // namespace edgecase::net
