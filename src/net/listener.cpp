#include "net/listener.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "net/socket_address.hpp"

namespace edgecase::net {
namespace {

constexpr int kBacklog = 4096;  // the kernel cuts it to net.core.somaxconn

}  // namespace

bool AcceptOperation::try_once() {
    if (!descriptor_->readable) return false;
    for (;;) {
        sockaddr_storage storage{};
        socklen_t size = sizeof storage;
        const int fd = ::accept4(descriptor_->fd(), reinterpret_cast<sockaddr*>(&storage), &size,
                                 SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO) continue;
            if (errno == EAGAIN) {
                descriptor_->readable = false;
                return false;
            }
            result_.emplace(std::unexpected(Error::of(errno)));
            return true;
        }
        Descriptor* const client = Descriptor::watch(descriptor_->loop(), fd);
        if (client == nullptr) {
            result_.emplace(std::unexpected(Error::of(ENOMEM)));
            return true;
        }
        client->writable = true;  // a fresh connection's send buffer is empty
        Accepted accepted{Stream(client), SocketAddress::endpoint_of(storage)};
        accepted.stream.set_no_delay();
        result_.emplace(std::move(accepted));
        return true;
    }
}

std::expected<Listener, Error> Listener::listen(Loop& loop, ip::Endpoint at, bool shared) {
    const SocketAddress address(at);
    const int fd =
        ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (fd < 0) return std::unexpected(Error::of(errno));
    const int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (shared) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    if (!at.address.is_v4()) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    if (::bind(fd, address.get(), address.size()) != 0 || ::listen(fd, kBacklog) != 0) {
        const Error error = Error::of(errno);
        ::close(fd);
        return std::unexpected(error);
    }
    Descriptor* const descriptor = Descriptor::watch(loop, fd);
    if (descriptor == nullptr) return std::unexpected(Error::of(ENOMEM));
    return Listener(descriptor);
}

std::expected<Listener, Error> Listener::share(Loop& loop, int fd) {
    const int twin = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (twin < 0) return std::unexpected(Error::of(errno));
    Descriptor* const descriptor = Descriptor::watch(loop, twin);
    if (descriptor == nullptr) return std::unexpected(Error::of(ENOMEM));
    return Listener(descriptor);
}

ip::Endpoint Listener::local() const {
    return SocketAddress::local_of(descriptor_->fd());
}

void Listener::close() {
    if (descriptor_ != nullptr)
        std::exchange(descriptor_, nullptr)->close(true);  // it may have a twin
}

}  // namespace edgecase::net
