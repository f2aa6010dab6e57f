#include "ip/cidr.hpp"

#include <bit>
#include <charconv>

namespace edgecase::ip {
namespace {

/// The length that a netmask stands for. Errors: nullopt for one with a hole.
std::optional<unsigned> length_of_mask(Number mask) {
    const unsigned hosts = mask.trailing_zeros() > 32 ? 32 : mask.trailing_zeros();
    if ((mask | Number::ones(hosts)) != Number::ones(32)) return std::nullopt;
    return 32 - hosts;
}

}  // namespace

unsigned Number::trailing_zeros() const {
    if (low != 0) return static_cast<unsigned>(std::countr_zero(low));
    return 64 + static_cast<unsigned>(std::countr_zero(high));
}

Number number_of(const Address& address) {
    const auto& bytes = address.bytes();
    Number number;
    const size_t size = address.is_v4() ? 4 : 16;
    for (size_t i = 0; i < size; ++i) {
        number.high = (number.high << 8) | (number.low >> 56);
        number.low = (number.low << 8) | bytes[i];
    }
    return number;
}

Address address_of(Family family, Number number) {
    if (family == Family::v4) return Address::v4(static_cast<uint32_t>(number.low));
    std::array<uint8_t, 16> bytes{};
    for (size_t i = 0; i < 8; ++i) {
        bytes[i] = static_cast<uint8_t>(number.high >> (56 - 8 * i));
        bytes[8 + i] = static_cast<uint8_t>(number.low >> (56 - 8 * i));
    }
    return Address::v6(bytes);
}

std::optional<Cidr> Cidr::parse(std::string_view text) {
    const size_t slash = text.find('/');
    const auto address = Address::parse(text.substr(0, slash));
    if (!address) return std::nullopt;
    Cidr cidr;
    cidr.family = family_of(*address);
    cidr.length = bits_of(cidr.family);
    if (slash != std::string_view::npos) {
        const std::string_view tail = text.substr(slash + 1);
        const char* const end = tail.data() + tail.size();
        if (const auto mask = tail.contains('.') ? Address::parse(tail) : std::nullopt) {
            const auto length = length_of_mask(number_of(*mask));
            if (!length || cidr.family != Family::v4) return std::nullopt;
            cidr.length = *length;
        } else {
            unsigned length = 0;
            const auto [rest, error] = std::from_chars(tail.data(), end, length);
            if (error != std::errc() || rest != end || tail.empty() || length > cidr.length) {
                return std::nullopt;
            }
            cidr.length = length;
        }
    }
    const Number hosts = Number::ones(bits_of(cidr.family) - cidr.length);
    const Number number = number_of(*address);
    cidr.first = number & Number{~hosts.high, ~hosts.low};
    return cidr;
}

std::string Cidr::to_string() const {
    return address_of(family, first).to_string() + "/" + std::to_string(length);
}

}  // namespace edgecase::ip
