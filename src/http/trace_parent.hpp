// Owns the traceparent field of W3C Trace Context: its value, read and written.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace edgecase::http {

/// Which trace a request is part of, and the span that made it. Source: W3C Trace Context,
/// Level 2, section 3.2.
struct TraceParent {
    static constexpr size_t kTextBytes = 55;  // `00-32 hex digits-16 hex digits-2 hex digits`
    static constexpr uint8_t kSampled = 1;
    static constexpr uint8_t kRandom = 2;  // Level 2: the trace-id's right half is random

    uint64_t trace_high = 0;  // the left half of the trace-id
    uint64_t trace_low = 0;
    uint64_t parent = 0;  // the span
    uint8_t flags = 0;    // those two; others are not passed on in version 00

    /// Errors: nullopt for what must not be continued: wrong length or digits (upper case too), ids
    /// of zeros, version ff. A later version is read as far as version 00 goes.
    static std::optional<TraceParent> parse(std::string_view text);
    /// In version 00.
    std::array<char, kTextBytes> text() const;

    bool operator==(const TraceParent&) const = default;
};

}  // namespace edgecase::http
