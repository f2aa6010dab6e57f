// Owns what is kept of one request while its trace is looked for.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "logs/entry.hpp"
#include "logs/text_pool.hpp"

namespace edgecase::logs {

/// Its texts belong to a TextPool: there may be hundreds of thousands of rays.
struct EdgeRay {
    uint64_t ray = 0;
    uint64_t parent = 0;
    LogTime start = kNoTime;
    LogTime end = kNoTime;
    int64_t resolution_us = 0;
    uint16_t edge_status = 0;
    uint16_t origin_status = 0;
    int request_source = 1;
    int64_t response_body_bytes = -1;
    int64_t dns_ms = -1;
    int64_t connect_ms = -1;
    int64_t tls_ms = -1;
    int64_t header_wait_ms = -1;
    int64_t origin_ms = -1;
    int64_t first_byte_ms = -1;
    std::string_view method;
    std::string_view scheme;
    std::string_view host;
    std::string_view uri;
    std::string_view client;
    std::string_view edge_address;
    std::string_view origin;
    std::string_view colo;
    std::string_view protocol;
    std::string_view cache_status;
    std::string_view cause;

    static constexpr size_t kMaximumUriBytes = 2048;
    static EdgeRay of(const EdgeEntryView& entry, TextPool& texts);
};

/// A line of an origin's access log that belongs, or may belong, to a ray.
struct OriginLine {
    size_t log = 0;  // which of the origin's logs (a set of rotated files)
    LogTime time = kNoTime;
    Moment moment = Moment::end;
    int64_t resolution_us = 0;
    uint16_t status = 0;
    uint16_t upstream_status = 0;
    int64_t body_bytes = -1;
    int64_t duration_us = -1;
    int64_t worker = -1;
    std::string client;
    std::string reason;
    std::string text;  // the line, at most kMaximumTextBytes of it

    static constexpr size_t kMaximumTextBytes = 2048;
    static OriginLine of(const EntryView& entry, std::string_view line, size_t log);
};

/// A line of a log that says why.
struct Event {
    size_t log = 0;
    LogTime time = kNoTime;
    int64_t resolution_us = 1'000'000;
    EventKind kind = EventKind::other;
    std::string system;
    std::string message;
    uint64_t ray = 0;
    int64_t pid = -1;
    int signal = 0;
    std::string method;
    std::string uri;
    std::string script;

    static Event of(const EventView& event, size_t log);
};

enum class Outcome : uint8_t {
    matched,
    ambiguous,      // several lines could be it
    not_covered,    // no line, but the logs do not cover that time
    never_arrived,  // no line in logs that cover that time
};

std::string_view to_string(Outcome outcome);

struct TracedRay {
    EdgeRay edge;
    Outcome outcome = Outcome::not_covered;
    double confidence = 0;          // that the lines are its own, or that there is none
    std::vector<OriginLine> lines;  // of its attempts, or of the candidates; at most kMaximumLines
    int64_t clock_us = 0;           // how far the origin's clock is ahead at its end
    bool is_clock_known = false;
    std::vector<std::shared_ptr<const Event>> nearby;  // the most telling first; rays share them
    static constexpr size_t kMaximumLines = 4;
    static constexpr size_t kMaximumNearby = 5;
};

}  // namespace edgecase::logs
