#include "lab/socket.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace edgecase::lab {
namespace {

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t size = 0;

    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

SocketAddress to_system(const ip::Endpoint& endpoint) {
    SocketAddress result;
    const auto& bytes = endpoint.address.bytes();
    if (endpoint.address.is_v4()) {
        sockaddr_in v4{};
        v4.sin_family = AF_INET;
        v4.sin_port = htons(endpoint.port);
        std::memcpy(&v4.sin_addr, bytes.data(), sizeof v4.sin_addr);
        std::memcpy(&result.storage, &v4, sizeof v4);
        result.size = sizeof v4;
    } else {
        sockaddr_in6 v6{};
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(endpoint.port);
        std::memcpy(&v6.sin6_addr, bytes.data(), sizeof v6.sin6_addr);
        std::memcpy(&result.storage, &v6, sizeof v6);
        result.size = sizeof v6;
    }
    return result;
}

/// Worded as the edge words it.
std::string listen_error(const ip::Endpoint& at) {
    const std::string why = errno == EADDRINUSE ? "the port is in use"
                            : errno == EADDRNOTAVAIL
                                ? "no interface of this machine has that address"
                            : errno == EACCES ? "not permitted (ports below 1024 need the right to)"
                                              : last_error();
    return fmt::format("cannot listen on {}: {}", at.to_string(), why);
}

int family(const ip::Endpoint& endpoint) {
    return endpoint.address.is_v4() ? AF_INET : AF_INET6;
}

}  // namespace

Socket& Socket::operator=(Socket&& other) noexcept {
    if (this != &other) {
        close();
        descriptor_ = std::exchange(other.descriptor_, -1);
    }
    return *this;
}

void Socket::close() {
    if (is_open()) ::close(std::exchange(descriptor_, -1));
}

std::string last_error() {
    return std::generic_category().message(errno);
}

std::expected<Socket, std::string> bind_socket(Transport transport, const ip::Endpoint& wanted,
                                               bool fall_back) {
    const int type = transport == Transport::tcp ? SOCK_STREAM : SOCK_DGRAM;
    Socket socket(::socket(family(wanted), type | SOCK_CLOEXEC, 0));
    if (!socket.is_open()) return std::unexpected("cannot make a socket: " + last_error());
    if (transport == Transport::tcp) {
        const int yes = 1;
        setsockopt(socket.descriptor(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    }
    const SocketAddress address = to_system(wanted);
    if (bind(socket.descriptor(), address.get(), address.size) == 0) return socket;
    if (fall_back && wanted.port != 0 && errno == EADDRINUSE) {
        return bind_socket(transport, {wanted.address, 0});
    }
    return std::unexpected(listen_error(wanted));
}

std::expected<void, std::string> listen_on(const Socket& socket, int backlog) {
    if (listen(socket.descriptor(), backlog) == 0) return {};
    const int error = errno;  // getsockname() may change it
    const ip::Endpoint at = local_endpoint(socket);
    errno = error;
    return std::unexpected(listen_error(at));
}

ip::Endpoint local_endpoint(const Socket& socket) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    ip::Endpoint endpoint;
    if (getsockname(socket.descriptor(), reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
        return endpoint;
    }
    if (storage.ss_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, &storage, sizeof v4);
        endpoint = {ip::Address::v4(ntohl(v4.sin_addr.s_addr)), ntohs(v4.sin_port)};
    } else if (storage.ss_family == AF_INET6) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, &storage, sizeof v6);
        std::array<uint8_t, 16> bytes{};
        std::ranges::copy(v6.sin6_addr.s6_addr, bytes.begin());
        endpoint = {ip::Address::v6(bytes), ntohs(v6.sin6_port)};
    }
    return endpoint;
}

Socket begin_connect(const ip::Endpoint& to) {
    Socket socket(::socket(family(to), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket.is_open()) return socket;
    const SocketAddress address = to_system(to);
    if (connect(socket.descriptor(), address.get(), address.size) != 0 && errno != EINPROGRESS) {
        socket.close();
    }
    return socket;
}

}  // namespace edgecase::lab
