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
    if (!descriptor_->may_read()) return false;
    Layer* const below = descriptor_->layer.get();
    const Layer::Result got = below != nullptr ? below->read(into_) : descriptor_->receive(into_);
    switch (got.kind) {
        case Layer::Result::Kind::blocked:
            return false;
        case Layer::Result::Kind::done:
            result_.emplace(got.bytes);
            return true;
        case Layer::Result::Kind::failed:
            break;
    }
    result_.emplace(std::unexpected(got.error));
    return true;
}

bool WriteOperation::try_once() {
    if (!descriptor_->writable) {
        note_queue();
        return false;
    }
    if (descriptor_->layer != nullptr) return try_layer();
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
        take(static_cast<size_t>(count));
    }
}

bool WriteOperation::try_layer() {
    for (;;) {
        while (!parts_.empty() && parts_.front().iov_len == 0) parts_ = parts_.subspan(1);
        if (parts_.empty()) {
            result_.emplace();
            return true;
        }
        const Layer::Result wrote = descriptor_->layer->write(parts_);
        switch (wrote.kind) {
            case Layer::Result::Kind::blocked:
                note_queue();
                return false;
            case Layer::Result::Kind::done:
                take(wrote.bytes);
                continue;
            case Layer::Result::Kind::failed:
                break;
        }
        result_.emplace(std::unexpected(wrote.error));
        return true;
    }
}

void WriteOperation::take(size_t bytes) {
    written_ += bytes;
    if (stall_ > base::Duration::zero()) renew(descriptor_->loop().after(stall_));
    while (bytes > 0 && bytes >= parts_.front().iov_len) {
        bytes -= parts_.front().iov_len;
        parts_ = parts_.subspan(1);
    }
    if (bytes > 0) {
        parts_.front().iov_base = static_cast<char*>(parts_.front().iov_base) + bytes;
        parts_.front().iov_len -= bytes;
    }
}

void WriteOperation::note_queue() {
    if (stall_ > base::Duration::zero()) queued_bytes_ = queued_bytes(descriptor_->socket());
}

bool WriteOperation::still_moving() {
    if (stall_ == base::Duration::zero()) return false;
    const uint32_t queued = queued_bytes(descriptor_->socket());
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

bool Stream::has_unread() {
    if (Layer* const below = layer()) return below->has_unread();
    char byte = 0;
    const ssize_t got = ::recv(descriptor_->fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    const bool drained = got < 0 && errno == EAGAIN;
    if (drained) descriptor_->readable = false;
    return !drained;
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
    if (Layer* const below = layer()) below->shutdown_write();
    if (descriptor_->fd() >= 0) ::shutdown(descriptor_->fd(), SHUT_WR);
}

void Stream::close() {
    if (descriptor_ == nullptr) return;
    if (Layer* const below = layer()) below->close(false);
    std::exchange(descriptor_, nullptr)->close();
}

void Stream::abort() {
    if (descriptor_ == nullptr) return;
    if (Layer* const below = layer()) below->close(true);
    const linger hard{1, 0};
    if (fd() >= 0) setsockopt(fd(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    std::exchange(descriptor_, nullptr)->close();
}

uint32_t Stream::unacked_bytes() const {
    return queued_bytes(descriptor_->socket());
}

ip::Endpoint Stream::local() const {
    return SocketAddress::local_of(descriptor_->socket());
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
