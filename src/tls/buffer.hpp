// Owns the buffers between TLS and sockets: lent by a thread's free list while bytes are in them.
#pragma once

#include <cstddef>
#include <utility>

namespace edgecase::tls {

enum class BufferUse : unsigned char { inbound, outbound };

/// Two records of the largest size: one recv() brings what one read() of 32 KiB can take.
inline constexpr size_t kInboundBytes = size_t{34} * 1024;
/// Four records of the largest size go out as one send().
inline constexpr size_t kOutboundBytes = size_t{68} * 1024;

char* lend_buffer(BufferUse use);
void return_buffer(BufferUse use, char* buffer);

/// Bytes that wait, first in first out. Holds no memory while there are none.
template <BufferUse use, size_t kBytes>
class Waiting {
  public:
    Waiting() = default;
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    ~Waiting() { clear(); }

    bool empty() const { return begin_ == end_; }
    bool holds_memory() const { return buffer_ != nullptr; }
    size_t size() const { return end_ - begin_; }
    size_t room() const { return kBytes - end_; }
    const char* data() const { return buffer_ + begin_; }
    /// Where room() more bytes may be put before added() tells how many they are.
    char* tail() {
        if (buffer_ == nullptr) buffer_ = lend_buffer(use);
        return buffer_ + end_;
    }
    void added(size_t bytes) {
        end_ += static_cast<unsigned>(bytes);
        if (empty()) clear();
    }
    void taken(size_t bytes) {
        begin_ += static_cast<unsigned>(bytes);
        if (empty()) clear();
    }
    void clear() {
        begin_ = end_ = 0;
        if (buffer_ != nullptr) return_buffer(use, std::exchange(buffer_, nullptr));
    }

  private:
    char* buffer_ = nullptr;
    unsigned begin_ = 0;
    unsigned end_ = 0;
};

using Inbound = Waiting<BufferUse::inbound, kInboundBytes>;
using Outbound = Waiting<BufferUse::outbound, kOutboundBytes>;

}  // namespace edgecase::tls
