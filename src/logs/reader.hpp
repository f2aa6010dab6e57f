// Owns the ways to read a line: one interface for each kind of log, and how a format is named.
#pragma once

#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "logs/entry.hpp"

namespace edgecase::logs {

enum class Parsed : uint8_t {
    entry,
    nothing,  // a comment, a heading, a blank line, an entry of another kind: no fault
    failed,   // not a line of this format
};

/// Bytes behind each line that may be read (not interpreted): lines stand in larger buffers.
constexpr size_t kLinePadding = 64;

/// Lines come without their end of line, may hold any bytes, and are followed by kLinePadding
/// readable bytes. Readers keep what earlier lines said of the format (W3C's #Fields, CSV's
/// heading) and so belong to one file.
class AccessReader {
  public:
    virtual ~AccessReader() = default;
    virtual std::string_view format() const = 0;  // for people: `nginx combined`
    virtual Parsed read(std::string_view line, EntryView& into) = 0;
    /// Time and Ray ID alone, where that is cheaper.
    virtual Parsed read_time_and_ray(std::string_view line, EntryView& into) {
        return read(line, into);
    }
    /// False: no line of it ever has a Ray ID.
    virtual bool may_have_ray() const = 0;
};

class EdgeReader {
  public:
    virtual ~EdgeReader() = default;
    virtual std::string_view format() const = 0;
    virtual Parsed read(std::string_view line, EdgeEntryView& into) = 0;
};

class EventReader {
  public:
    virtual ~EventReader() = default;
    virtual std::string_view format() const = 0;
    virtual Parsed read(std::string_view line, EventView& into) = 0;
};

}  // namespace edgecase::logs
