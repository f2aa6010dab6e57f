// Owns the writing of HTTP/1.1 bytes into a buffer.
#pragma once

#include <charconv>
#include <string_view>

#include "base/byte_buffer.hpp"

namespace edgecase::h1 {

inline void write_number(base::ByteBuffer& out, uint64_t value) {
    const std::span<char> free = out.reserve_free(20);
    const auto [end, error] = std::to_chars(free.data(), free.data() + 20, value);
    out.commit(static_cast<size_t>(end - free.data()));
}

inline void write_field(base::ByteBuffer& out, std::string_view name, std::string_view value) {
    const size_t size = name.size() + value.size() + 4;
    char* at = out.reserve_free(size).data();
    std::memcpy(at, name.data(), name.size());
    at += name.size();
    *at++ = ':';
    *at++ = ' ';
    if (!value.empty()) std::memcpy(at, value.data(), value.size());
    at += value.size();
    *at++ = '\r';
    *at++ = '\n';
    out.commit(size);
}

inline void write_request_line(base::ByteBuffer& out, std::string_view method,
                               std::string_view target) {
    out.append(method);
    out.append(' ');
    out.append(target);
    out.append(" HTTP/1.1\r\n");
}

inline void write_status_line(base::ByteBuffer& out, uint16_t status, std::string_view reason) {
    out.append("HTTP/1.1 ");
    write_number(out, status);
    out.append(' ');
    out.append(reason);
    out.append("\r\n");
}

/// `SIZE CRLF` before a chunk's data; CRLF must follow the data.
inline void write_chunk_size(base::ByteBuffer& out, uint64_t size) {
    const std::span<char> free = out.reserve_free(18);
    const auto [end, error] = std::to_chars(free.data(), free.data() + 16, size, 16);
    out.commit(static_cast<size_t>(end - free.data()));
    out.append("\r\n");
}

}  // namespace edgecase::h1
