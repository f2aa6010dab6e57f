#include "net/stream.hpp"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>

#include "net/socket_address.hpp"

namespace edgecase::net {
namespace {

void set_int(int fd, int level, int option, int value) {
    setsockopt(fd, level, option, &value, sizeof value);
}

uint32_t queued_bytes(int fd) {
    int queued = 0;
    if (ioctl(fd, SIOCOUTQ, &queued) != 0 || queued < 0) return 0;
    return static_cast<uint32_t>(queued);
}

/// One part needs no message header, whose copying the kernel charges for.
ssize_t send_parts(int fd, std::span<iovec> parts) {
    if (parts.size() == 1) {
        return ::send(fd, parts.front().iov_base, parts.front().iov_len, MSG_NOSIGNAL);
    }
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    return ::sendmsg(fd, &message, MSG_NOSIGNAL);
}

}  // namespace

bool ReadOperation::try_once() {
    if (!descriptor_->readable) return false;
    for (;;) {
        const ssize_t count = ::recv(descriptor_->fd(), into_.data(), into_.size(), 0);
        if (count >= 0) {
            // A short read means drained (edge-triggered), unless a FIN or error stands behind it.
            if (static_cast<size_t>(count) < into_.size() && !descriptor_->read_closed) {
                descriptor_->readable = false;
            }
            result_.emplace(static_cast<size_t>(count));
            return true;
        }
        if (errno == EINTR) continue;
        if (errno == EAGAIN) {
            descriptor_->readable = false;
            return false;
        }
        result_.emplace(std::unexpected(Error::of(errno)));
        return true;
    }
}

bool WriteOperation::try_once() {
    if (!descriptor_->writable) {
        note_queue();
        return false;
    }
    for (;;) {
        while (!parts_.empty() && parts_.front().iov_len == 0) parts_ = parts_.subspan(1);
        if (parts_.empty()) {
            result_.emplace();
            return true;
        }
        while (parts_.back().iov_len == 0) parts_ = parts_.first(parts_.size() - 1);
        const ssize_t count = send_parts(descriptor_->fd(), parts_);
        if (count < 0) {
            if (errno == EINTR) continue;
            if (errno == EAGAIN) {
                descriptor_->writable = false;
                note_queue();
                return false;
            }
            result_.emplace(std::unexpected(Error::of(errno)));
            return true;
        }
        auto left = static_cast<size_t>(count);
        written_ += left;
        if (stall_ > base::Duration::zero()) renew(descriptor_->loop().after(stall_));
        while (left > 0 && left >= parts_.front().iov_len) {
            left -= parts_.front().iov_len;
            parts_ = parts_.subspan(1);
        }
        if (left > 0) {
            parts_.front().iov_base = static_cast<char*>(parts_.front().iov_base) + left;
            parts_.front().iov_len -= left;
        }
    }
}

void WriteOperation::note_queue() {
    if (stall_ > base::Duration::zero()) queued_bytes_ = queued_bytes(descriptor_->fd());
}

bool WriteOperation::still_moving() {
    if (stall_ == base::Duration::zero()) return false;
    const uint32_t queued = queued_bytes(descriptor_->fd());
    if (queued >= queued_bytes_) return false;
    queued_bytes_ = queued;
    renew(descriptor_->loop().after(stall_));
    return true;
}

ReadResult Stream::read_now(std::span<char> into) {
    ReadOperation operation(*descriptor_, into, base::Deadline::never());
    if (operation.try_once()) return operation.await_resume();
    return std::unexpected(Error{ErrorKind::deadline});
}

bool Stream::has_unread() const {
    char byte = 0;
    const ssize_t got = ::recv(descriptor_->fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got >= 0 || errno != EAGAIN;
}

WriteResult Stream::write_now(std::span<iovec>& parts) {
    WriteOperation operation(*descriptor_, parts, written_, base::Deadline::never(),
                             base::Duration::zero());
    if (operation.try_once()) {
        parts = {};
        return operation.await_resume();
    }
    parts = operation.rest();
    return {};
}

void Stream::shutdown_write() {
    ::shutdown(descriptor_->fd(), SHUT_WR);
}

void Stream::close() {
    if (descriptor_ == nullptr) return;
    std::exchange(descriptor_, nullptr)->close();
}

void Stream::abort() {
    if (descriptor_ == nullptr) return;
    const linger hard{1, 0};
    setsockopt(descriptor_->fd(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close();
}

uint32_t Stream::unacked_bytes() const {
    return queued_bytes(descriptor_->fd());
}

ip::Endpoint Stream::local() const {
    return SocketAddress::local_of(descriptor_->fd());
}

void Stream::set_no_delay() {
    set_int(descriptor_->fd(), IPPROTO_TCP, TCP_NODELAY, 1);
}

void Stream::set_keep_alive(std::chrono::seconds idle, std::chrono::seconds interval, int probes) {
    const int fd = descriptor_->fd();
    set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, static_cast<int>(idle.count()));
    set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, static_cast<int>(interval.count()));
    set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, probes);
}

}  // namespace edgecase::net
