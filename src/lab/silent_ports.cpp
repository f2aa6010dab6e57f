#include "lab/silent_ports.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

namespace edgecase::lab {
namespace {

// Backlog 0 leaves room for one connection; more only in case a kernel rounds it up.
constexpr size_t kMaxFillers = 32;
constexpr int kHandshakeMs = 50;  // far more than loopback needs

bool is_connected(const Socket& socket) {
    pollfd polled{socket.descriptor(), POLLOUT, 0};
    return poll(&polled, 1, kHandshakeMs) == 1 && polled.revents == POLLOUT;
}

ip::Endpoint reachable(ip::Endpoint endpoint) {
    if (!endpoint.address.is_unspecified()) return endpoint;
    const auto loopback = ip::Address::parse(endpoint.address.is_v4() ? "127.0.0.1" : "::1");
    return {loopback.value_or(endpoint.address), endpoint.port};
}

}  // namespace

std::expected<Socket, std::string> closed_tcp_port(const ip::Endpoint& wanted) {
    return bind_socket(Transport::tcp, wanted, true);
}

std::expected<Socket, std::string> closed_udp_port(const ip::Endpoint& wanted) {
    auto socket = bind_socket(Transport::udp, reachable(wanted), true);
    if (!socket) return socket;
    // Connected to itself: its own address is the only sender it would hear.
    sockaddr_storage own{};
    socklen_t size = sizeof own;
    auto* address = reinterpret_cast<sockaddr*>(&own);
    if (getsockname(socket->descriptor(), address, &size) != 0 ||
        connect(socket->descriptor(), address, size) != 0) {
        return std::unexpected("cannot close a UDP port: " + last_error());
    }
    return socket;
}

std::expected<FullQueue, std::string> FullQueue::open(const ip::Endpoint& wanted) {
    FullQueue queue;
    auto listener = bind_socket(Transport::tcp, wanted, true);
    if (!listener) return std::unexpected(listener.error());
    queue.listener_ = std::move(*listener);
    if (auto listening = listen_on(queue.listener_, 0); !listening) {
        return std::unexpected(listening.error());
    }
    for (size_t i = 0; i < kMaxFillers; ++i) {
        Socket filler = begin_connect(reachable(queue.endpoint()));
        if (!filler.is_open()) return std::unexpected("cannot fill a queue: " + last_error());
        if (!is_connected(filler)) return queue;
        queue.fillers_.push_back(std::move(filler));
    }
    return std::unexpected("this kernel does not fill an accept queue of backlog 0");
}

}  // namespace edgecase::lab
