#include "http/trace_parent.hpp"

#include <algorithm>
#include <string>

#include "base/hex.hpp"

namespace edgecase::http {
namespace {

std::optional<uint8_t> parse_hex2(std::string_view text) {
    // Sixteen digits are what there is a reader for; these two are the last of them.
    std::array<char, 16> padded{};
    padded.fill('0');
    std::ranges::copy(text, padded.end() - 2);
    const auto value = base::parse_hex16({padded.data(), padded.size()});
    if (!value) return std::nullopt;
    return static_cast<uint8_t>(*value);
}

}  // namespace

std::optional<TraceParent> TraceParent::parse(std::string_view text) {
    if (text.size() < kTextBytes) return std::nullopt;
    const auto version = parse_hex2(text.substr(0, 2));
    if (!version || *version == 0xff) return std::nullopt;
    if (*version == 0 ? text.size() != kTextBytes
                      : text.size() > kTextBytes && text[kTextBytes] != '-') {
        return std::nullopt;
    }
    if (text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
    const auto high = base::parse_hex16(text.substr(3, 16));
    const auto low = base::parse_hex16(text.substr(19, 16));
    const auto parent = base::parse_hex16(text.substr(36, 16));
    const auto flags = parse_hex2(text.substr(53, 2));
    if (!high || !low || !parent || !flags) return std::nullopt;
    if ((*high == 0 && *low == 0) || *parent == 0) return std::nullopt;
    return TraceParent{*high, *low, *parent, static_cast<uint8_t>(*flags & (kSampled | kRandom))};
}

std::array<char, TraceParent::kTextBytes> TraceParent::text() const {
    std::array<char, kTextBytes> text{};
    const auto put = [&](size_t at, uint64_t value) {
        std::ranges::copy(base::hex16(value), text.begin() + at);
    };
    put(3, trace_high);
    put(19, trace_low);
    put(36, parent);
    text[0] = text[1] = text[53] = '0';
    text[2] = text[35] = text[52] = '-';
    text[54] = static_cast<char>('0' + flags);
    return text;
}

}  // namespace edgecase::http
