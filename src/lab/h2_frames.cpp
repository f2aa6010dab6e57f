#include "lab/h2_frames.hpp"

#include <algorithm>

namespace edgecase::lab::h2 {
namespace {

constexpr uint32_t kStreamIdMask = 0x7fffffff;

std::string big_endian(uint64_t value, int bytes) {
    std::string text;
    for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i) & 0xff);
    return text;
}

}  // namespace

std::string u32(uint32_t value) {
    return big_endian(value, 4);
}

uint32_t read_u32(std::string_view bytes) {
    uint32_t value = 0;
    for (const char byte : bytes.substr(0, 4)) value = value << 8 | static_cast<uint8_t>(byte);
    return value;
}

std::string frame(Type type, uint8_t flags, uint32_t stream_id, std::string_view payload) {
    std::string bytes = big_endian(payload.size(), 3);
    bytes += static_cast<char>(type);
    bytes += static_cast<char>(flags);
    bytes += u32(stream_id);
    bytes += payload;
    return bytes;
}

std::string settings(const std::vector<std::pair<uint16_t, uint32_t>>& values) {
    std::string payload;
    for (const auto& [name, value] : values) payload += big_endian(name, 2) + u32(value);
    return frame(Type::settings, kNoFlags, 0, payload);
}

std::string headers(uint32_t stream_id, const std::vector<Field>& fields, uint8_t flags) {
    return frame(Type::headers, flags | kEndHeaders, stream_id, hpack_block(fields));
}

std::string long_headers(uint32_t stream_id, const std::vector<Field>& fields, size_t part_bytes,
                         uint8_t flags) {
    const std::string block = hpack_block(fields);
    std::string bytes;
    for (size_t at = 0; at < block.size(); at += part_bytes) {
        const bool is_last = at + part_bytes >= block.size();
        const auto part_flags =
            static_cast<uint8_t>((at == 0 ? flags : kNoFlags) | (is_last ? kEndHeaders : kNoFlags));
        bytes += frame(at == 0 ? Type::headers : Type::continuation, part_flags, stream_id,
                       std::string_view(block).substr(at, part_bytes));
    }
    return bytes;
}

std::string data(uint32_t stream_id, std::string_view bytes, uint8_t flags) {
    return frame(Type::data, flags, stream_id, bytes);
}

std::string rst_stream(uint32_t stream_id, uint32_t error_code) {
    return frame(Type::rst_stream, kNoFlags, stream_id, u32(error_code));
}

std::string goaway(uint32_t last_stream_id, uint32_t error_code, std::string_view debug) {
    std::string payload = u32(last_stream_id) + u32(error_code);
    payload += debug;
    return frame(Type::goaway, kNoFlags, 0, payload);
}

std::string window_update(uint32_t stream_id, uint32_t increment) {
    return frame(Type::window_update, kNoFlags, stream_id, u32(increment));
}

std::optional<std::string_view> Frame::content() const {
    std::string_view rest = payload;
    if (has(kPadded) && (type == Type::data || type == Type::headers)) {
        if (rest.empty()) return std::nullopt;
        const auto padding = static_cast<uint8_t>(rest.front());
        rest.remove_prefix(1);
        if (padding > rest.size()) return std::nullopt;
        rest.remove_suffix(padding);
    }
    if (has(kPriority) && type == Type::headers) {
        if (rest.size() < 5) return std::nullopt;
        rest.remove_prefix(5);
    }
    return rest;
}

std::optional<Frame> take_frame(std::string& buffer) {
    if (buffer.size() < kFrameHeaderBytes) return std::nullopt;
    const size_t length = read_u32(buffer) >> 8;
    if (buffer.size() < kFrameHeaderBytes + length) return std::nullopt;
    Frame taken{static_cast<Type>(buffer[3]), static_cast<uint8_t>(buffer[4]),
                read_u32(std::string_view(buffer).substr(5)) & kStreamIdMask,
                buffer.substr(kFrameHeaderBytes, length)};
    buffer.erase(0, kFrameHeaderBytes + length);
    return taken;
}

}  // namespace edgecase::lab::h2
