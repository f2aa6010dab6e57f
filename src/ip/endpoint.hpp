// Owns IP addresses and address:port endpoints as values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace edgecase::ip {

class Address {
  public:
    constexpr Address() = default;
    static Address v4(uint32_t host_order);
    static Address v6(const std::array<uint8_t, 16>& bytes);
    /// Dotted IPv4 or IPv6 text, without brackets, port or zone. Errors: nullopt.
    static std::optional<Address> parse(std::string_view text);

    bool is_v4() const { return !is_v6_; }
    bool is_loopback() const;
    bool is_unspecified() const;
    bool is_multicast() const;  // includes IPv4 broadcast
    std::string to_string() const;
    /// 4 or 16 bytes in network order, at the front of the array.
    const std::array<uint8_t, 16>& bytes() const { return bytes_; }

    auto operator<=>(const Address&) const = default;

  private:
    std::array<uint8_t, 16> bytes_{};
    bool is_v6_ = false;
};

struct Endpoint {
    Address address;
    uint16_t port = 0;

    /// `1.2.3.4:80` or `[::1]:80`. Errors: nullopt.
    static std::optional<Endpoint> parse(std::string_view text);
    std::string to_string() const;
    auto operator<=>(const Endpoint&) const = default;
};

/// `HOST:PORT` split at the last colon, brackets removed. Errors: nullopt when either part is
/// missing or the port is not a number up to 65535.
struct HostPort {
    std::string host;
    uint16_t port = 0;
    static std::optional<HostPort> parse(std::string_view text);
};

}  // namespace edgecase::ip
