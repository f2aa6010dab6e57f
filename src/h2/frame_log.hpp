// Owns the last frames seen on one connection, both ways.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace edgecase::h2 {

struct FrameSeen {
    bool sent = false;  // by us
    uint8_t type = 0;
    uint8_t flags = 0;
    uint32_t stream_id = 0;
    uint32_t length = 0;
    uint32_t error_code = 0;  // of RST_STREAM and GOAWAY
};

/// A ring: cheap enough to be always on.
class FrameLog {
  public:
    static constexpr size_t kKept = 24;

    void add(const FrameSeen& frame) { frames_[count_++ % kKept] = frame; }
    uint64_t count() const { return count_; }
    /// Oldest first, one line each: `< HEADERS stream 1 flags 0x05 (END_STREAM END_HEADERS) length
    /// 12`.
    std::vector<std::string> lines() const;

  private:
    std::array<FrameSeen, kKept> frames_{};
    uint64_t count_ = 0;
};

std::string to_string(const FrameSeen& frame);

}  // namespace edgecase::h2
