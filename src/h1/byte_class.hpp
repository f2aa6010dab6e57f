// Owns the classes of bytes HTTP/1.1 tells apart, with fast scans over runs of one class.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace edgecase::h1 {

using ByteClass = std::array<bool, 256>;

namespace detail {

constexpr ByteClass make_token_bytes() {
    ByteClass table{};
    for (size_t c = '0'; c <= '9'; ++c) table[c] = true;
    for (size_t c = 'a'; c <= 'z'; ++c) table[c] = true;
    for (size_t c = 'A'; c <= 'Z'; ++c) table[c] = true;
    for (const char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<size_t>(c)] = true;
    return table;
}

constexpr ByteClass make_target_bytes() {
    ByteClass table{};
    for (size_t c = 0x21; c <= 0x7e; ++c) table[c] = true;
    table['#'] = false;  // a fragment is never sent
    return table;
}

}  // namespace detail

/// Source: RFC 9110 §5.6.2, `tchar`.
inline constexpr ByteClass kTokenBytes = detail::make_token_bytes();
/// Visible ASCII but `#`: wider than RFC 3986, because browsers send `|`, `"`, `{` unescaped.
inline constexpr ByteClass kTargetBytes = detail::make_target_bytes();

constexpr bool is(const ByteClass& table, char c) {
    return table[static_cast<unsigned char>(c)];
}

/// A control byte in the sense of RFC 9110 §5.5: below SP, or DEL. HTAB is one here.
constexpr bool is_control(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
}

/// Index of the first byte at or after `at` that is not of the class; `stop` if there is none.
inline size_t skip_class(const ByteClass& table, std::string_view bytes, size_t at, size_t stop) {
    const char* const data = bytes.data();
    while (at < stop && is(table, data[at])) ++at;
    return at;
}

/// Index of the first control byte at or after `at`, HTAB among them; `stop` if there is none.
inline size_t find_control(std::string_view bytes, size_t at, size_t stop) {
    constexpr uint64_t kOnes = 0x0101010101010101;
    constexpr uint64_t kHighs = 0x8080808080808080;
    const char* const data = bytes.data();
    while (stop - at >= 8) {
        uint64_t word = 0;
        std::memcpy(&word, data + at, 8);
        // Eight bytes at once: the high bit of a byte is set where it is below SP or is DEL.
        // Borrows can only set wrong bits above a right one, so the lowest set bit is always right.
        const uint64_t below_space = (word - kOnes * 0x20) & ~word;
        const uint64_t no_del = word ^ (kOnes * 0x7f);
        const uint64_t hits = (below_space | ((no_del - kOnes) & ~no_del)) & kHighs;
        if (hits != 0) {
            if constexpr (std::endian::native == std::endian::little) {
                return at + static_cast<size_t>(std::countr_zero(hits)) / 8;
            }
            break;
        }
        at += 8;
    }
    while (at < stop && !is_control(data[at])) ++at;
    return at;
}

}  // namespace edgecase::h1
