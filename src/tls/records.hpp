// Owns the cutting of a write's parts into records.
#pragma once

#include <openssl/ssl3.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

namespace edgecase::tls {

inline constexpr size_t kRecordBytes = SSL3_RT_MAX_PLAIN_LENGTH;

/// A small part and what follows it are one record: a record each costs 22 bytes and a cipher
/// start, and a receiver that sees a head without its body.
inline thread_local std::array<char, kRecordBytes> gathered;

/// Goes through parts a record at a time.
class Records {
  public:
    explicit Records(std::span<const iovec> parts) : parts_(parts) {}

    /// The next bytes for one record; empty at the end.
    std::span<const char> next() {
        while (!parts_.empty() && offset_ == parts_.front().iov_len) {
            parts_ = parts_.subspan(1);
            offset_ = 0;
        }
        if (parts_.empty()) return {};
        const std::span<const char> first = rest_of_first();
        if (first.size() >= kRecordBytes) return first.first(kRecordBytes);
        if (parts_.size() == 1) return first;
        size_t size = 0;
        size_t offset = offset_;
        for (const iovec& part : parts_) {
            const size_t taken = std::min(part.iov_len - offset, gathered.size() - size);
            const char* const from = static_cast<const char*>(part.iov_base) + offset;
            if (taken > 0) std::memcpy(gathered.data() + size, from, taken);
            size += taken;
            offset = 0;
            if (size == gathered.size()) break;
        }
        return {gathered.data(), size};
    }
    void taken(size_t bytes) {
        while (bytes > 0) {
            const size_t here = std::min(bytes, parts_.front().iov_len - offset_);
            offset_ += here;
            bytes -= here;
            if (offset_ < parts_.front().iov_len) break;
            parts_ = parts_.subspan(1);
            offset_ = 0;
        }
    }

  private:
    std::span<const char> rest_of_first() const {
        const iovec& first = parts_.front();
        return {static_cast<const char*>(first.iov_base) + offset_, first.iov_len - offset_};
    }

    std::span<const iovec> parts_;
    size_t offset_ = 0;  // in the first of them
};

}  // namespace edgecase::tls
