// Owns the descriptors of the lab's sockets.
#pragma once

#include <expected>
#include <string>
#include <utility>

#include "ip/endpoint.hpp"

namespace edgecase::lab {

/// A descriptor that closes itself.
class Socket {
  public:
    Socket() = default;
    explicit Socket(int descriptor) : descriptor_(descriptor) {}
    Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    Socket& operator=(Socket&& other) noexcept;
    ~Socket() { close(); }

    int descriptor() const { return descriptor_; }
    bool is_open() const { return descriptor_ >= 0; }
    void close();

  private:
    int descriptor_ = -1;
};

enum class Transport : uint8_t { tcp, udp };

/// A socket bound to `wanted`; when `fall_back` is set and the port is taken, to any free port.
/// Errors: a sentence that names the address.
std::expected<Socket, std::string> bind_socket(Transport transport, const ip::Endpoint& wanted,
                                               bool fall_back = false);

/// Errors: a sentence that names the address.
std::expected<void, std::string> listen_on(const Socket& socket, int backlog);

/// Where a bound socket is, with its real port.
ip::Endpoint local_endpoint(const Socket& socket);

/// Starts a connection without waiting for it. Errors: a closed Socket.
Socket begin_connect(const ip::Endpoint& to);

/// The system's text for the current errno.
std::string last_error();

}  // namespace edgecase::lab
