// Owns the choice of head limits for each side from the settings.
#pragma once

#include "config/settings.hpp"
#include "h1/limits.hpp"

namespace edgecase::edge {

inline h1::HeadLimits request_limits(const config::Limits& limits) {
    return {limits.request_line_bytes, limits.request_header_line_bytes,
            limits.request_header_bytes, limits.request_header_count};
}

inline h1::HeadLimits response_limits(const config::Limits& limits) {
    return {limits.response_line_bytes, limits.response_line_bytes, limits.response_header_bytes,
            limits.response_header_count};
}

}  // namespace edgecase::edge
