// Owns the interface to cases as they are stored.
#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <string>
#include <vector>

#include "record/record.hpp"

namespace edgecase::record {

/// Gives each case once, in the order in which they were stored: a long request comes behind
/// younger ones. There need not be a store yet.
class Follower {
  public:
    virtual ~Follower() = default;
    /// Of what is stored already nothing will be given. Errors: a sentence; then, once there is a
    /// store, next() gives what ended after the making of this object.
    virtual std::expected<void, std::string> skip_present() = 0;
    /// Not to be given, because it was shown already.
    virtual void skip(RayId ray) = 0;

    /// What was stored since the last call, at most so many; when it is as many, call again at
    /// once. Errors: a sentence (there is no store, or none that can be read); may pass, call again
    /// later.
    static constexpr size_t kMaximumCases = 1024;
    virtual std::expected<std::vector<Record>, std::string> next() = 0;
    /// Which parts did not take part in the answers since this was called last, as of a Source.
    virtual std::vector<std::string> take_missing() { return {}; }
    /// From one call to the next.
    virtual std::chrono::milliseconds pause() const = 0;
};

}  // namespace edgecase::record
