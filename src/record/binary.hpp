// Owns the binary form of records: compact, self-delimiting, cheap to write on the request path.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/byte_buffer.hpp"
#include "record/record.hpp"

namespace edgecase::record {

/// Appends one record: u32 size, u8 version, u64 ray, then varints and length-prefixed texts.
/// Text fields longer than kMaximumTextBytes are cut there. The format is docs/record-format.md.
void encode(base::ByteBuffer& out, const RecordView& record);
void encode(base::ByteBuffer& out, const Record& record);

constexpr size_t kMaximumTextBytes = 2048;  // a long URL is worth keeping, a 16 KiB one is not
// What one record may carry of the open-ended things, so that a decoder knows its worst case: more
// attempts than any retry rule allows, more facts than any failure gathers.
constexpr size_t kMaximumAttempts = 32;
constexpr size_t kMaximumEvidenceItems = 64;
constexpr size_t kMaximumListItems = 64;

/// Walks the records of a block front to back. Safe on damaged bytes.
class BlockReader {
  public:
    explicit BlockReader(std::string_view block) : rest_(block) {}
    /// The next record's ray without decoding it; nullopt at the end or when the block is damaged.
    std::optional<RayId> peek() const;
    /// The next record's bytes, size prefix included; empty when peek() has none.
    std::string_view frame() const;
    /// Skips the next record. False when there is none.
    bool skip();
    /// Decodes the next record and moves past it. Errors: a sentence, on damage or an unknown
    /// version. A record whose frame is whole is moved past even then; if the frame itself is
    /// damaged, the rest of the block is given up and empty() becomes true.
    std::expected<Record, std::string> next();
    bool empty() const { return rest_.empty(); }

  private:
    std::string_view rest_;
};

}  // namespace edgecase::record
