// Owns the requests of many files as one stream in the order of time, each as little as is needed
// to tell it from others.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "logs/trace.hpp"

namespace edgecase::logs {

/// One request, of either side. Its moment lies in [from, to] of its own machine's clock.
struct Likeness {
    LogTime from = kNoTime;
    LogTime to = kNoTime;
    uint64_t key = 0;  // of what both sides always have: method, URI, and more as KeyFields says
    uint64_t ray = 0;
    uint64_t client = 0;   // hash of the visitor's address; 0: not known
    uint64_t address = 0;  // hash of the address between edge and origin; 0: not known
    int64_t body_bytes = -1;
    int64_t duration_us = -1;
    uint16_t edge_status = 0;  // edge only
    uint16_t status = 0;       // the origin's; 0: not known
};

/// What both sides log of each request, beyond method and URI.
struct KeyFields {
    bool user_agent = false;
    bool host = false;
    bool operator==(const KeyFields&) const = default;
};

/// `moment`: which end of a request the origin's log has the time of.
Likeness likeness_of(const EdgeEntryView& entry, const KeyFields& fields, Moment moment);
Likeness likeness_of(const EntryView& entry, const KeyFields& fields);

struct OriginItem {
    Likeness likeness;
    OriginLine line;
};

/// Pulls one item at a time; the files' items are merged by time, files that begin later are
/// opened later.
template <typename Item>
class ItemStream {
  public:
    virtual ~ItemStream() = default;
    /// nullopt: the end. Errors: one sentence.
    virtual std::expected<std::optional<Item>, std::string> next() = 0;
};

std::unique_ptr<ItemStream<Likeness>> edge_stream(const TraceInput& input, const KeyFields& fields,
                                                  Moment moment);
std::unique_ptr<ItemStream<OriginItem>> origin_stream(const TraceInput& input,
                                                      const std::vector<size_t>& logs,
                                                      const KeyFields& fields);

/// By the first lines of all files.
KeyFields key_fields_of(const TraceInput& input, const std::vector<size_t>& logs);
Moment moment_of(const TraceInput& input, const std::vector<size_t>& logs);

}  // namespace edgecase::logs
