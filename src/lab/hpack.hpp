// Owns header compression (RFC 7541) as far as the lab needs it: it reads all of it, and writes the
// one plain form.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace edgecase::lab {

struct Field {
    std::string name;
    std::string value;

    bool operator==(const Field&) const = default;
};

/// Fields as literals without indexing and without Huffman coding (RFC 7541 6.2.2): any bytes.
std::string hpack_block(const std::vector<Field>& fields);

/// Errors: nullopt when a code is unknown or the padding is wrong (RFC 7541 5.2).
std::optional<std::string> huffman_decoded(std::string_view bytes);

/// One direction of one connection.
class HpackDecoder {
  public:
    /// A whole field block. Errors: nullopt when it breaks a rule.
    std::optional<std::vector<Field>> decode(std::string_view block);

    size_t table_size() const { return size_; }  // in RFC 7541's bytes

  private:
    std::optional<size_t> take_integer(std::string_view& rest, int prefix_bits) const;
    std::optional<std::string> take_string(std::string_view& rest) const;
    std::optional<Field> indexed(size_t index) const;
    bool take_literal(std::string_view& rest, int prefix_bits, std::vector<Field>& fields);
    void insert(const Field& field);
    void evict();

    static constexpr size_t kMaxTableBytes = 4096;  // what the lab's SETTINGS leave at its default

    std::deque<Field> table_;  // newest first
    size_t size_ = 0;
    size_t max_size_ = kMaxTableBytes;
};

}  // namespace edgecase::lab
