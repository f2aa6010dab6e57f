// Owns writing bytes that live in the worker's scratch: what does not fit at once is kept first.
#pragma once

#include <array>
#include <span>

#include "base/byte_buffer.hpp"
#include "h1/writer.hpp"
#include "net/stream.hpp"
#include "net/task.hpp"

namespace edgecase::edge {

/// Gathers the payload of one read, so that it goes out as one write and, if chunked, as one chunk.
class Batch {
  public:
    static constexpr size_t kMaximumParts =
        64;  // decoded chunks of one read; more go in a next batch

    void clear() {
        count_ = 1;
        payload_bytes_ = 0;
    }
    bool full() const { return count_ + 1 >= parts_.size(); }
    bool empty() const { return payload_bytes_ == 0; }
    size_t payload_bytes() const { return payload_bytes_; }
    void add(std::string_view payload) {
        if (payload.empty()) return;
        parts_[count_++] = net::part(payload);
        payload_bytes_ += payload.size();
    }
    /// The parts to write; `chunked` puts a size line before and CRLF behind.
    std::span<iovec> finish(bool chunked, base::ByteBuffer& size_line) {
        if (!chunked) return std::span(parts_).subspan(1, count_ - 1);
        size_line.clear();
        h1::write_chunk_size(size_line, payload_bytes_);
        parts_[0] = net::part(size_line.view());
        parts_[count_] = net::part("\r\n");
        return std::span(parts_).first(count_ + 1);
    }

  private:
    std::array<iovec, kMaximumParts + 2> parts_{};
    size_t count_ = 1;  // parts_[0] is the chunk size line's place
    size_t payload_bytes_ = 0;
};

/// Copies what `parts` still hold behind `pending`.
inline void keep(std::span<const iovec> parts, base::ByteBuffer& pending) {
    for (const iovec& part : parts) {
        pending.append(std::string_view(static_cast<const char*>(part.iov_base), part.iov_len));
    }
}

/// How much to read next: grows while both sides keep up, so that big bodies cost few system calls,
/// and shrinks when the reader lags, so that a slow one holds little memory.
class ReadSize {
  public:
    static constexpr size_t kSmallest = 32 * 1024;
    static constexpr size_t kLargest = 512 * 1024;

    size_t bytes() const { return bytes_; }
    void kept_up(size_t read) {
        if (read >= bytes_ && bytes_ < kLargest) bytes_ *= 2;
    }
    void lagged() { bytes_ = kSmallest; }

  private:
    size_t bytes_ = 64 * 1024;
};

}  // namespace edgecase::edge
