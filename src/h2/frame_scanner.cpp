#include "h2/frame_scanner.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace edgecase::h2 {
namespace {

uint32_t byte_at(std::string_view bytes, size_t at) {
    return static_cast<unsigned char>(bytes[at]);
}

uint32_t length_of(std::string_view header) {
    return byte_at(header, 0) << 16 | byte_at(header, 1) << 8 | byte_at(header, 2);
}

uint32_t number_at(std::string_view bytes, size_t at) {
    return byte_at(bytes, at) << 24 | byte_at(bytes, at + 1) << 16 | byte_at(bytes, at + 2) << 8 |
           byte_at(bytes, at + 3);
}

}  // namespace

std::string frame_type_name(uint8_t type) {
    constexpr std::array<std::string_view, 10> kNames = {
        "DATA",         "HEADERS", "PRIORITY", "RST_STREAM",    "SETTINGS",
        "PUSH_PROMISE", "PING",    "GOAWAY",   "WINDOW_UPDATE", "CONTINUATION"};
    return type < kNames.size() ? std::string(kNames[type]) : fmt::format("0x{:02x}", type);
}

size_t FrameScanner::prefix_bytes(std::string_view header) {
    size_t wanted = 0;
    switch (frame_type(static_cast<uint8_t>(byte_at(header, 3)))) {
        case FrameType::data:
        case FrameType::headers:
            wanted = (byte_at(header, 4) & kPadded) != 0 ? 1 : 0;
            break;
        case FrameType::rst_stream:
            wanted = 4;
            break;
        case FrameType::goaway:
            wanted = 8;
            break;
        case FrameType::priority:
        case FrameType::settings:
        case FrameType::push_promise:
        case FrameType::ping:
        case FrameType::window_update:
        case FrameType::continuation:
        case FrameType::unknown:
            break;
    }
    return std::min<size_t>(wanted, length_of(header));
}

void FrameScanner::read(std::string_view bytes) {
    head_ = {.type = static_cast<uint8_t>(byte_at(bytes, 3)),
             .flags = static_cast<uint8_t>(byte_at(bytes, 4)),
             .stream_id = number_at(bytes, 5) & 0x7fffffffU,
             .length = length_of(bytes)};
    const size_t prefix = prefix_bytes(bytes);
    if (head_.is(FrameType::rst_stream) && prefix == 4) {
        head_.error_code = number_at(bytes, kHeaderBytes);
    } else if (head_.is(FrameType::goaway) && prefix == 8) {
        head_.error_code = number_at(bytes, kHeaderBytes + 4);
    } else if (prefix == 1) {
        head_.pad_length = byte_at(bytes, kHeaderBytes);
    }
}

FrameScanner::Piece FrameScanner::next(std::string_view& input) {
    if (payload_left_ > 0) {
        const std::string_view bytes = input.substr(0, payload_left_);
        input.remove_prefix(bytes.size());
        payload_left_ -= bytes.size();
        return {bytes, false, payload_left_ == 0};
    }
    if (held_size_ == 0 && input.size() >= kHeaderBytes &&
        input.size() >= kHeaderBytes + prefix_bytes(input)) {
        read(input);
        const std::string_view bytes = input.substr(0, kHeaderBytes + head_.length);
        input.remove_prefix(bytes.size());
        payload_left_ = kHeaderBytes + head_.length - bytes.size();
        return {bytes, true, payload_left_ == 0};
    }
    // The header came in parts.
    const auto hold = [&](size_t wanted) {
        const size_t size = std::min(wanted - held_size_, input.size());
        if (size > 0) std::memcpy(held_.data() + held_size_, input.data(), size);
        held_size_ += size;
        input.remove_prefix(size);
        return held_size_ == wanted;
    };
    if (held_size_ < kHeaderBytes && !hold(kHeaderBytes)) return {};
    if (!hold(kHeaderBytes + prefix_bytes(held()))) return {};
    read(held());
    const std::string_view bytes = held();
    held_size_ = 0;
    payload_left_ = kHeaderBytes + head_.length - bytes.size();
    return {bytes, true, payload_left_ == 0};
}

}  // namespace edgecase::h2
