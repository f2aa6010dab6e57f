// Owns the requests of many files as one stream in the order of time, each as little as is needed
// to tell it from others.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "logs/in_order.hpp"
#include "logs/ray_table.hpp"
#include "logs/trace.hpp"

namespace edgecase::logs {

/// One request, of either side. Its moment lies in [from, to] of its own machine's clock.
struct Likeness {
    LogTime from = kNoTime;
    LogTime to = kNoTime;
    LogTime first_byte = kNoTime;  // edge only
    uint64_t key = 0;     // of what both sides always have: method, URI, and more as KeyFields says
    uint64_t ray = 0;     // 0: not known
    uint64_t id = 0;      // edge only: as identity_of() has it
    uint64_t client = 0;  // hash of the visitor's address; 0: not known
    uint64_t address = 0;  // hash of the address between edge and origin; 0: not known
    int64_t body_bytes = -1;
    int64_t duration_us = -1;
    int64_t resolution_us = 0;
    uint16_t edge_status = 0;  // edge only
    uint16_t status = 0;       // the origin's; 0: not known
};

/// What both sides log of each request, beyond method and URI.
struct KeyFields {
    bool user_agent = false;
    bool host = false;
    bool operator==(const KeyFields&) const = default;
};

/// A request of the edge from its start to its end.
Likeness likeness_of(const EdgeEntryView& entry, const KeyFields& fields);
Likeness likeness_of(const EntryView& entry, const KeyFields& fields);
/// Of an edge's request the span in which the origin has that moment of it; nullopt: which one it
/// has the time of is not known, so it is all of it.
Likeness narrowed(Likeness edge, std::optional<Moment> moment);

/// The Ray ID, or what stands for it in an edge's log that has none.
uint64_t identity_of(const EdgeEntryView& entry);
uint64_t identity_of(const EdgeRay& ray);

struct OriginItem {
    Likeness likeness;
    OriginLine line;
};

/// Reads everything once, in the order of the files. Errors: one sentence.
using VisitLikeness = std::function<void(const Likeness&)>;
using FileOrders = std::vector<FileOrder>;  // in the order of the files
std::expected<FileOrders, std::string> visit_edges(const TraceInput& input, const KeyFields& fields,
                                                   const VisitLikeness& visit);
std::expected<FileOrders, std::string> visit_origins(const TraceInput& input,
                                                     const std::vector<size_t>& logs,
                                                     const KeyFields& fields,
                                                     const VisitLikeness& visit);

/// Pulls one item at a time, in order of time as far as its files' disorder can be held. Files that
/// begin later are opened later.
template <typename Item>
class ItemStream {
  public:
    virtual ~ItemStream() = default;
    /// nullopt: the end. Errors: one sentence.
    virtual std::expected<std::optional<Item>, std::string> next() = 0;
};

/// Which items are of interest: those with one of these keys.
using KeyTable = RayTable;

std::unique_ptr<ItemStream<Likeness>> edge_stream(const TraceInput& input, const KeyFields& fields,
                                                  std::optional<Moment> moment,
                                                  const KeyTable& wanted, const FileOrders& orders);
std::unique_ptr<ItemStream<OriginItem>> origin_stream(const TraceInput& input,
                                                      const std::vector<size_t>& logs,
                                                      const KeyFields& fields,
                                                      const KeyTable& wanted,
                                                      const FileOrders& orders);

/// By the first lines of all files.
KeyFields key_fields_of(const TraceInput& input, const std::vector<size_t>& logs);
/// nullopt: the formats do not tell, or differ.
std::optional<Moment> moment_of(const TraceInput& input, const std::vector<size_t>& logs);

}  // namespace edgecase::logs
