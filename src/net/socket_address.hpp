// Owns the translation between endpoints and the kernel's socket addresses.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

#include "ip/endpoint.hpp"

namespace edgecase::net {

class SocketAddress {
  public:
    explicit SocketAddress(const ip::Endpoint& endpoint) {
        if (endpoint.address.is_v4()) {
            sockaddr_in v4{};
            v4.sin_family = AF_INET;
            v4.sin_port = htons(endpoint.port);
            std::memcpy(&v4.sin_addr, endpoint.address.bytes().data(), 4);
            std::memcpy(&storage_, &v4, sizeof v4);
            size_ = sizeof v4;
        } else {
            sockaddr_in6 v6{};
            v6.sin6_family = AF_INET6;
            v6.sin6_port = htons(endpoint.port);
            std::memcpy(&v6.sin6_addr, endpoint.address.bytes().data(), 16);
            std::memcpy(&storage_, &v6, sizeof v6);
            size_ = sizeof v6;
        }
    }

    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage_); }
    socklen_t size() const { return size_; }
    int family() const { return storage_.ss_family; }

    static ip::Endpoint endpoint_of(const sockaddr_storage& storage) {
        if (storage.ss_family == AF_INET6) {
            sockaddr_in6 v6{};
            std::memcpy(&v6, &storage, sizeof v6);
            std::array<uint8_t, 16> bytes{};
            std::memcpy(bytes.data(), &v6.sin6_addr, 16);
            return {ip::Address::v6(bytes), ntohs(v6.sin6_port)};
        }
        sockaddr_in v4{};
        std::memcpy(&v4, &storage, sizeof v4);
        return {ip::Address::v4(ntohl(v4.sin_addr.s_addr)), ntohs(v4.sin_port)};
    }

    /// Errors: the unspecified endpoint.
    static ip::Endpoint local_of(int fd) {
        sockaddr_storage storage{};
        socklen_t size = sizeof storage;
        if (getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return {};
        return endpoint_of(storage);
    }

  private:
    sockaddr_storage storage_{};
    socklen_t size_ = 0;
};

}  // namespace edgecase::net
