#include "ip/endpoint.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace edgecase::ip {

Address Address::v4(uint32_t host_order) {
    Address address;
    for (size_t i = 0; i < 4; ++i) {
        address.bytes_[i] = static_cast<uint8_t>(host_order >> (24 - 8 * i));
    }
    return address;
}

Address Address::v6(const std::array<uint8_t, 16>& bytes) {
    Address address;
    address.bytes_ = bytes;
    address.is_v6_ = true;
    return address;
}

std::optional<Address> Address::parse(std::string_view text) {
    const std::string copy(text);
    Address address;
    if (inet_pton(AF_INET, copy.c_str(), address.bytes_.data()) == 1) return address;
    if (inet_pton(AF_INET6, copy.c_str(), address.bytes_.data()) == 1) {
        address.is_v6_ = true;
        return address;
    }
    return std::nullopt;
}

bool Address::is_loopback() const {
    if (is_v4()) return bytes_[0] == 127;
    return std::all_of(bytes_.begin(), bytes_.end() - 1, [](uint8_t b) { return b == 0; }) &&
           bytes_[15] == 1;
}

bool Address::is_unspecified() const {
    return std::ranges::all_of(bytes_, [](uint8_t b) { return b == 0; });
}

bool Address::is_multicast() const {
    if (is_v6_) return bytes_[0] == 0xff;
    return (bytes_[0] & 0xf0) == 0xe0 ||
           std::all_of(bytes_.begin(), bytes_.begin() + 4, [](uint8_t b) { return b == 0xff; });
}

std::string Address::to_string() const {
    if (!is_v6_) {  // each request has one, and inet_ntop is slow
        std::array<char, INET_ADDRSTRLEN> text;
        char* end = text.data();
        for (size_t i = 0; i < 4; ++i) {
            if (i > 0) *end++ = '.';
            end = std::to_chars(end, text.data() + text.size(), bytes_[i]).ptr;
        }
        return {text.data(), end};
    }
    std::array<char, INET6_ADDRSTRLEN> text{};
    inet_ntop(AF_INET6, bytes_.data(), text.data(), text.size());
    return text.data();
}

std::optional<HostPort> HostPort::parse(std::string_view text) {
    const size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    std::string_view host = text.substr(0, colon);
    const std::string_view port = text.substr(colon + 1);
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
    } else if (host.contains(':')) {
        return std::nullopt;
    }
    HostPort result;
    result.host = host;
    const char* const end = port.data() + port.size();
    const auto [rest, error] = std::from_chars(port.data(), end, result.port);
    if (host.empty() || port.empty() || error != std::errc() || rest != end) return std::nullopt;
    return result;
}

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
    const auto parts = HostPort::parse(text);
    if (!parts) return std::nullopt;
    const auto address = Address::parse(parts->host);
    if (!address) return std::nullopt;
    return Endpoint{*address, parts->port};
}

std::string Endpoint::to_string() const {
    const std::string host = address.to_string();
    return (address.is_v4() ? host : "[" + host + "]") + ":" + std::to_string(port);
}

}  // namespace edgecase::ip
