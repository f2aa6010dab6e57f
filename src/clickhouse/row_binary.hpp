// Owns RowBinary, ClickHouse's plainest format: values one behind the other, little-endian.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace edgecase::clickhouse {

static_assert(std::endian::native == std::endian::little);

class RowWriter {
  public:
    explicit RowWriter(std::string& out) : out_(out) {}

    template <typename T>
        requires std::is_integral_v<T>
    void number(T value) {
        out_.append(reinterpret_cast<const char*>(&value), sizeof(value));
    }
    void text(std::string_view value) {
        length(value.size());
        out_.append(value);
    }

  private:
    void length(uint64_t value) {
        for (; value >= 0x80; value >>= 7) out_ += static_cast<char>(value | 0x80);
        out_ += static_cast<char>(value);
    }

    std::string& out_;
};

/// Gives zeros and empty texts behind the end or damage; then failed() is true.
class RowReader {
  public:
    explicit RowReader(std::string_view rows) : rest_(rows) {}

    bool empty() const { return rest_.empty() || failed_; }
    bool failed() const { return failed_; }

    template <typename T>
        requires std::is_integral_v<T>
    T number() {
        T value{};
        const std::string_view bytes = take(sizeof(T));
        if (bytes.size() == sizeof(T)) std::memcpy(&value, bytes.data(), sizeof(T));
        return value;
    }
    /// Also the number of elements of an array, which follow.
    uint64_t length() {
        uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            const std::string_view byte = take(1);
            if (byte.empty()) return 0;
            const auto bits = static_cast<uint8_t>(byte.front());
            value |= uint64_t{bits & 0x7fU} << shift;
            if ((bits & 0x80) == 0) return value;
        }
        failed_ = true;
        return 0;
    }
    std::string_view text() { return take(length()); }

  private:
    std::string_view take(uint64_t count) {
        if (failed_ || count > rest_.size()) {
            failed_ = true;
            return {};
        }
        const std::string_view bytes = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return bytes;
    }

    std::string_view rest_;
    bool failed_ = false;
};

}  // namespace edgecase::clickhouse
