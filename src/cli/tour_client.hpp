// Owns the demo's own small HTTP client: blocking, one request per connection, sees cut
// connections.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "ip/endpoint.hpp"

namespace edgecase::cli {

struct TourRequest {
    std::string_view method = "GET";
    std::string path;
    std::string_view extra_headers;  // lines with CRLF
    uint64_t body_bytes = 0;
    std::chrono::milliseconds limit{0};       // for the whole; zero: 30 s for each wait
    const std::atomic<bool>* stop = nullptr;  // set: it is wanted no more
};

struct TourReply {
    uint16_t status = 0;    // 0: the connection ended before a status
    std::string ray;        // 16 hex digits; empty if none came
    bool aborted = false;   // it ended before the response did
    bool given_up = false;  // by us: the limit passed, or it was stopped
};

/// Errors: a sentence when the edge itself cannot be reached.
std::expected<TourReply, std::string> tour_request(const ip::Endpoint& edge,
                                                   const TourRequest& request);

}  // namespace edgecase::cli
