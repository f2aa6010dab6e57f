#include "lab/hpack.hpp"

#include <algorithm>
#include <array>

#include "lab/hpack_tables.hpp"

namespace edgecase::lab {
namespace {

constexpr size_t kMaxHuffmanBits = 30;
constexpr size_t kEntryOverhead = 32;                // RFC 7541 4.1
constexpr size_t kMaxInteger = 16ULL * 1024 * 1024;  // far more than a block can hold

/// The canonical code, by length: its first code, and its bytes in order.
struct HuffmanCode {
    std::array<uint32_t, kMaxHuffmanBits + 1> first{};
    std::array<std::string, kMaxHuffmanBits + 1> bytes;

    HuffmanCode() {
        for (size_t byte = 0; byte < kHuffmanBits.size(); ++byte) {
            bytes[kHuffmanBits[byte]] += static_cast<char>(byte);
        }
        uint32_t code = 0;
        for (size_t bits = 1; bits <= kMaxHuffmanBits; ++bits) {
            first[bits] = code;
            code = (code + static_cast<uint32_t>(bytes[bits].size())) << 1;
        }
    }
};

void put_integer(std::string& out, int prefix_bits, uint8_t first, size_t value) {
    const size_t full = (size_t{1} << prefix_bits) - 1;
    if (value < full) {
        out += static_cast<char>(first | value);
        return;
    }
    out += static_cast<char>(first | full);
    for (value -= full; value >= 128; value >>= 7) out += static_cast<char>((value & 127) | 128);
    out += static_cast<char>(value);
}

void put_string(std::string& out, std::string_view text) {
    put_integer(out, 7, 0, text.size());
    out += text;
}

size_t entry_size(const Field& field) {
    return field.name.size() + field.value.size() + kEntryOverhead;
}

}  // namespace

std::string hpack_block(const std::vector<Field>& fields) {
    std::string block;
    for (const Field& field : fields) {
        block += '\0';
        put_string(block, field.name);
        put_string(block, field.value);
    }
    return block;
}

std::optional<std::string> huffman_decoded(std::string_view bytes) {
    static const HuffmanCode known;
    std::string text;
    uint32_t code = 0;
    size_t bits = 0;
    for (const char byte : bytes) {
        for (int at = 7; at >= 0; --at) {
            code = code << 1 | ((static_cast<uint8_t>(byte) >> at) & 1U);
            ++bits;
            if (bits > kMaxHuffmanBits) return std::nullopt;
            const uint32_t place = code - known.first[bits];
            if (code >= known.first[bits] && place < known.bytes[bits].size()) {
                text += known.bytes[bits][place];
                code = 0;
                bits = 0;
            }
        }
    }
    // What is left must be less than a byte of ones.
    if (bits > 7 || code != (1U << bits) - 1) return std::nullopt;
    return text;
}

std::optional<size_t> HpackDecoder::take_integer(std::string_view& rest, int prefix_bits) const {
    if (rest.empty()) return std::nullopt;
    const size_t full = (size_t{1} << prefix_bits) - 1;
    size_t value = static_cast<uint8_t>(rest.front()) & full;
    rest.remove_prefix(1);
    if (value < full) return value;
    for (int shift = 0; shift < 28 && !rest.empty(); shift += 7) {
        const auto byte = static_cast<uint8_t>(rest.front());
        rest.remove_prefix(1);
        value += static_cast<size_t>(byte & 127U) << shift;
        if (value > kMaxInteger) return std::nullopt;
        if (byte < 128) return value;
    }
    return std::nullopt;
}

std::optional<std::string> HpackDecoder::take_string(std::string_view& rest) const {
    const bool is_huffman = !rest.empty() && (static_cast<uint8_t>(rest.front()) & 128U) != 0;
    const auto length = take_integer(rest, 7);
    if (!length || *length > rest.size()) return std::nullopt;
    const std::string_view text = rest.substr(0, *length);
    rest.remove_prefix(*length);
    return is_huffman ? huffman_decoded(text) : std::string(text);
}

std::optional<Field> HpackDecoder::indexed(size_t index) const {
    if (index == 0) return std::nullopt;
    if (index <= kStaticFields.size()) {
        const StaticField& field = kStaticFields[index - 1];
        return Field{std::string(field.name), std::string(field.value)};
    }
    index -= kStaticFields.size() + 1;
    if (index >= table_.size()) return std::nullopt;
    return table_[index];
}

bool HpackDecoder::take_literal(std::string_view& rest, int prefix_bits,
                                std::vector<Field>& fields) {
    const auto index = take_integer(rest, prefix_bits);
    if (!index) return false;
    Field field;
    if (*index == 0) {
        auto name = take_string(rest);
        if (!name) return false;
        field.name = std::move(*name);
    } else {
        auto named = indexed(*index);
        if (!named) return false;
        field.name = std::move(named->name);
    }
    auto value = take_string(rest);
    if (!value) return false;
    field.value = std::move(*value);
    fields.push_back(std::move(field));
    return true;
}

std::optional<std::vector<Field>> HpackDecoder::decode(std::string_view block) {
    std::vector<Field> fields;
    while (!block.empty()) {
        const auto first = static_cast<uint8_t>(block.front());
        if ((first & 0x80) != 0) {  // indexed
            const auto index = take_integer(block, 7);
            auto field = index ? indexed(*index) : std::nullopt;
            if (!field) return std::nullopt;
            fields.push_back(std::move(*field));
        } else if ((first & 0x40) != 0) {  // literal, to be indexed
            if (!take_literal(block, 6, fields)) return std::nullopt;
            insert(fields.back());
        } else if ((first & 0x20) != 0) {  // a new table size
            const auto size = take_integer(block, 5);
            if (!size || *size > kMaxTableBytes) return std::nullopt;
            max_size_ = *size;
            evict();
        } else if (!take_literal(block, 4, fields)) {  // literal, not to be indexed
            return std::nullopt;
        }
    }
    return fields;
}

void HpackDecoder::insert(const Field& field) {
    table_.push_front(field);
    size_ += entry_size(field);
    evict();
}

void HpackDecoder::evict() {
    while (size_ > max_size_) {
        size_ -= entry_size(table_.back());
        table_.pop_back();
    }
}

}  // namespace edgecase::lab
