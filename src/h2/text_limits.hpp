// Owns the limits of message text that the edge itself writes.
#pragma once

#include "h1/limits.hpp"

namespace edgecase::h2 {

/// What is written has passed the edge's own limits; these only bound a bug.
inline constexpr h1::HeadLimits kOwnText = {.start_line_bytes = 64 * 1024,
                                            .line_bytes = 64 * 1024,
                                            .section_bytes = 256 * 1024,
                                            .field_count = 4096};

}  // namespace edgecase::h2
