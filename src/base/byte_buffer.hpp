// Owns a growable run of bytes that is filled at the end and consumed at the front.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace edgecase::base {

/// Unlike std::string it never zero-fills and keeps its storage when cleared. Views into it die
/// when it grows or is compacted.
class ByteBuffer {
  public:
    ByteBuffer() = default;
    explicit ByteBuffer(size_t capacity) { reserve(capacity); }
    ByteBuffer(ByteBuffer&& other) noexcept
        : data_(std::move(other.data_)),
          capacity_(std::exchange(other.capacity_, 0)),
          begin_(std::exchange(other.begin_, 0)),
          end_(std::exchange(other.end_, 0)) {}
    ByteBuffer& operator=(ByteBuffer&& other) noexcept {
        data_ = std::move(other.data_);
        capacity_ = std::exchange(other.capacity_, 0);
        begin_ = std::exchange(other.begin_, 0);
        end_ = std::exchange(other.end_, 0);
        return *this;
    }

    std::string_view view() const { return {data_.get() + begin_, end_ - begin_}; }
    size_t size() const { return end_ - begin_; }
    bool empty() const { return begin_ == end_; }
    size_t capacity() const { return capacity_; }

    void clear() { begin_ = end_ = 0; }
    void release() {
        data_.reset();
        capacity_ = begin_ = end_ = 0;
    }

    void consume(size_t count) {
        begin_ += count;
        if (begin_ == end_) clear();
    }

    void append(std::string_view bytes) {
        if (bytes.empty()) return;  // an empty view may be null, which memcpy must not see
        reserve_free(bytes.size());
        std::memcpy(data_.get() + end_, bytes.data(), bytes.size());
        end_ += bytes.size();
    }
    void append(char byte) { append(std::string_view(&byte, 1)); }

    /// At least `count` writable bytes behind the content; commit() makes them part of it.
    std::span<char> reserve_free(size_t count) {
        if (capacity_ - end_ < count) {
            compact();
            if (capacity_ - end_ < count) grow(end_ + count);
        }
        return {data_.get() + end_, capacity_ - end_};
    }
    void commit(size_t count) { end_ += count; }

    void reserve(size_t capacity) {
        if (capacity > capacity_) grow(capacity);
    }

  private:
    void compact() {
        if (begin_ == 0) return;
        std::memmove(data_.get(), data_.get() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    void grow(size_t wanted) {
        size_t capacity = capacity_ == 0 ? 1024 : capacity_;
        while (capacity < wanted) capacity *= 2;
        std::unique_ptr<char[]> data(new char[capacity]);
        if (end_ != begin_) std::memcpy(data.get(), data_.get() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
        data_ = std::move(data);
        capacity_ = capacity;
    }

    std::unique_ptr<char[]> data_;
    size_t capacity_ = 0;
    size_t begin_ = 0;
    size_t end_ = 0;
};

}  // namespace edgecase::base
