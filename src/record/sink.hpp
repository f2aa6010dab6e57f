// Owns the interface to wherever records go.
#pragma once

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

}  // namespace edgecase::record
