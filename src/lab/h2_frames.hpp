// Owns the bytes of HTTP/2 frames (RFC 9113 6), right ones and wrong ones.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lab/hpack.hpp"

namespace edgecase::lab::h2 {

enum class Type : uint8_t {
    data = 0,
    headers = 1,
    priority = 2,
    rst_stream = 3,
    settings = 4,
    push_promise = 5,
    ping = 6,
    goaway = 7,
    window_update = 8,
    continuation = 9,
};

inline constexpr uint8_t kNoFlags = 0;
inline constexpr uint8_t kEndStream = 0x1;
inline constexpr uint8_t kAck = 0x1;
inline constexpr uint8_t kEndHeaders = 0x4;
inline constexpr uint8_t kPadded = 0x8;
inline constexpr uint8_t kPriority = 0x20;

// RFC 9113 7
inline constexpr uint32_t kNoError = 0x0;
inline constexpr uint32_t kProtocolError = 0x1;
inline constexpr uint32_t kInternalError = 0x2;
inline constexpr uint32_t kRefusedStream = 0x7;
inline constexpr uint32_t kCancel = 0x8;
inline constexpr uint32_t kEnhanceYourCalm = 0xb;
inline constexpr uint32_t kHttp11Required = 0xd;

// RFC 9113 6.5.2
inline constexpr uint16_t kMaxConcurrentStreams = 0x3;
inline constexpr uint16_t kInitialWindowSize = 0x4;

inline constexpr size_t kFrameHeaderBytes = 9;
inline constexpr size_t kMaxFrameBytes = 16384;
inline constexpr int64_t kDefaultWindow = 65535;
inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Any frame: nothing is checked.
std::string frame(Type type, uint8_t flags, uint32_t stream_id, std::string_view payload);

std::string u32(uint32_t value);  // four bytes, the highest first

std::string settings(const std::vector<std::pair<uint16_t, uint32_t>>& values);
/// One HEADERS frame with END_HEADERS; `flags` are added.
std::string headers(uint32_t stream_id, const std::vector<Field>& fields, uint8_t flags = kNoFlags);
/// HEADERS, and CONTINUATION for every further `part_bytes`.
std::string long_headers(uint32_t stream_id, const std::vector<Field>& fields, size_t part_bytes,
                         uint8_t flags = kNoFlags);
std::string data(uint32_t stream_id, std::string_view bytes, uint8_t flags = kNoFlags);
std::string rst_stream(uint32_t stream_id, uint32_t error_code);
std::string goaway(uint32_t last_stream_id, uint32_t error_code, std::string_view debug = "");
std::string window_update(uint32_t stream_id, uint32_t increment);

struct Frame {
    Type type;
    uint8_t flags;
    uint32_t stream_id;
    std::string payload;

    bool has(uint8_t flag) const { return (flags & flag) != 0; }
    /// `payload` without padding and priority. Errors: nullopt when they are longer than it.
    std::optional<std::string_view> content() const;
};

/// Takes the first frame off `buffer`. Errors: nullopt until it is whole.
std::optional<Frame> take_frame(std::string& buffer);

uint32_t read_u32(std::string_view bytes);  // of the first four

}  // namespace edgecase::lab::h2
