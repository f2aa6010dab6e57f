// Owns the sample: a few raw bytes around the place where a message went wrong.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/secrets.hpp"  // for those who know is_sensitive_field from here

namespace edgecase::base {

/// Raw bytes kept as evidence. `field` names what the sample begins inside of: a header field, or a
/// parameter with a secret (empty: it begins at a line start, or inside of neither), so that
/// whoever shows it can hide a value whose name was cut off.
struct Sample {
    static constexpr size_t kBefore = 48;  // enough to see the line; small enough for every record
    static constexpr size_t kAfter = 32;

    std::string bytes;
    uint64_t first_offset = 0;  // of bytes[0] in the message
    uint64_t error_offset = 0;  // of the byte that broke the rule; may be one past the end
    std::string field;

    bool operator==(const Sample&) const = default;
};

/// Cuts a sample around `error_offset` out of `message`, whose first byte has offset 0.
/// The sample never begins before `line_start`. `field` is the field that the line is of; where the
/// sample begins inside of a secret it is found out.
Sample cut_sample(std::string_view message, size_t error_offset, size_t line_start,
                  std::string_view field = {});

/// The sample as one escaped line, with a caret line below that points at the offending byte.
std::string caret_lines(const Sample& sample);

/// The same sample without secrets: the value of a sensitive field replaced by `<N bytes
/// redacted>`, each byte of another secret (see secrets.hpp) by `*`. The caret still points at the
/// offending byte, or at the beginning of the redaction it fell into.
Sample redact(const Sample& sample);

}  // namespace edgecase::base
