// Owns the cutting of inbound bytes into frames, before anyone acts on them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace edgecase::h2 {

enum class FrameType : uint8_t {
    data,
    headers,
    priority,
    rst_stream,
    settings,
    push_promise,
    ping,
    goaway,
    window_update,
    continuation,
    unknown,  // any other; to be ignored
};

constexpr FrameType frame_type(uint8_t type) {
    using enum FrameType;
    constexpr std::array kTypes = {data,         headers, priority, rst_stream,    settings,
                                   push_promise, ping,    goaway,   window_update, continuation};
    return type < kTypes.size() ? kTypes[type] : unknown;
}

/// `HEADERS` and its like; a type none has gives `0x2a`.
std::string frame_type_name(uint8_t type);

inline constexpr uint8_t kAck = 0x1;
inline constexpr uint8_t kEndStream = 0x1;
inline constexpr uint8_t kEndHeaders = 0x4;
inline constexpr uint8_t kPadded = 0x8;
inline constexpr uint8_t kPriority = 0x20;

inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// One frame's header, with the part of the payload that rules look at.
struct FrameHead {
    uint8_t type = 0;
    uint8_t flags = 0;
    uint32_t stream_id = 0;
    uint32_t length = 0;
    uint32_t error_code = 0;  // of RST_STREAM and GOAWAY
    uint32_t pad_length = 0;  // when the flag says so and there is payload

    bool is(FrameType wanted) const { return type == static_cast<uint8_t>(wanted); }
    bool has(uint8_t flag) const { return (flags & flag) != 0; }
};

/// Incremental: a frame is handed out once its header and the few bytes of payload that matter are
/// there; until then they are held back.
class FrameScanner {
  public:
    struct Piece {
        std::string_view bytes;  // empty: more input is needed
        bool begins = false;     // a frame, whose header is head()
        bool ends = false;       // the frame
    };

    /// The next piece of one frame; takes it off `input`. Valid until the next call or as long as
    /// `input`.
    Piece next(std::string_view& input);
    const FrameHead& head() const { return head_; }
    /// The bytes held back, for evidence.
    std::string_view held() const { return {held_.data(), held_size_}; }

  private:
    static constexpr size_t kHeaderBytes = 9;
    static constexpr size_t kMaxPrefixBytes = 8;

    static size_t prefix_bytes(std::string_view header);
    void read(std::string_view bytes);

    FrameHead head_;
    std::array<char, kHeaderBytes + kMaxPrefixBytes> held_{};
    size_t held_size_ = 0;
    size_t payload_left_ = 0;
};

}  // namespace edgecase::h2
