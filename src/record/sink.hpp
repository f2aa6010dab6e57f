// Owns the two interfaces to wherever records live.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "record/record.hpp"

namespace edgecase::record {

/// Where one worker thread puts its records. Never blocks, never fails the request.
class Sink {
  public:
    virtual ~Sink() = default;
    virtual void write(const RecordView& record) = 0;
    /// Called by the worker a few times a second, and before it ends: hands over what is buffered.
    virtual void flush() = 0;
};

/// What `cases` may be asked for. Empty optionals match everything.
struct CaseFilter {
    std::optional<base::WallTime> since;
    std::optional<base::WallTime> until;
    std::optional<uint16_t> status;  // edge status
    std::string cause;               // exact name, or a prefix that ends at a dot: `resp`
    std::string host;
    std::string path;    // prefix of the path
    size_t limit = 100;  // newest first
};

class Source {
  public:
    virtual ~Source() = default;
    /// Errors: a sentence (unreadable store). An unknown ray is an empty optional.
    virtual std::expected<std::optional<Record>, std::string> find(RayId ray) = 0;
    virtual std::expected<std::vector<Record>, std::string> cases(const CaseFilter& filter) = 0;
    /// Every record that can be read, successes and cases apart, each kind roughly by time.
    /// Errors: a sentence.
    virtual std::expected<void, std::string> visit_all(
        const std::function<void(const Record&)>& visit) = 0;
};

}  // namespace edgecase::record
