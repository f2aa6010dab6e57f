// Owns the size limits of one message head.
#pragma once

#include <cstdint>

namespace edgecase::h1 {

struct HeadLimits {
    uint32_t start_line_bytes = 16 * 1024;  // request or status line, without CRLF
    uint32_t line_bytes = 16 * 1024;        // one field line, without CRLF
    uint32_t section_bytes = 32 * 1024;     // all field lines with their CRLFs
    uint16_t field_count = 256;
};

}  // namespace edgecase::h1
