// Owns a block of addresses in CIDR notation, and addresses as numbers that can be counted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ip/endpoint.hpp"

namespace edgecase::ip {

enum class Family : uint8_t { v4, v6 };

constexpr unsigned bits_of(Family family) {
    return family == Family::v4 ? 32 : 128;
}

/// An address as a number; IPv4 in the lowest 32 bits.
struct Number {
    uint64_t high = 0;
    uint64_t low = 0;
    auto operator<=>(const Number&) const = default;

    constexpr Number next() const { return {low + 1 == 0 ? high + 1 : high, low + 1}; }
    constexpr Number previous() const { return {low == 0 ? high - 1 : high, low - 1}; }
    constexpr Number operator&(Number other) const { return {high & other.high, low & other.low}; }
    constexpr Number operator|(Number other) const { return {high | other.high, low | other.low}; }
    /// The `count` lowest bits set, count up to 128.
    static constexpr Number ones(unsigned count) {
        const auto half = [](unsigned n) {
            return n == 0 ? uint64_t{0} : n >= 64 ? ~uint64_t{0} : (uint64_t{1} << n) - 1;
        };
        return {count > 64 ? half(count - 64) : 0, half(count)};
    }
    /// How many zero bits it ends in, up to 128.
    unsigned trailing_zeros() const;
};

constexpr Number last_of(Family family) {
    return Number::ones(bits_of(family));
}

Number number_of(const Address& address);
Address address_of(Family family, Number number);
inline Family family_of(const Address& address) {
    return address.is_v4() ? Family::v4 : Family::v6;
}

struct Cidr {
    Family family = Family::v4;
    Number first;
    unsigned length = 0;  // of the prefix

    /// `ADDRESS/LENGTH`, `ADDRESS/NETMASK` or an address alone; bits behind the prefix are cleared.
    /// Errors: nullopt, also for a netmask with a hole.
    static std::optional<Cidr> parse(std::string_view text);
    Number last() const { return first | Number::ones(bits_of(family) - length); }
    std::string to_string() const;
    auto operator<=>(const Cidr&) const = default;
};

}  // namespace edgecase::ip
