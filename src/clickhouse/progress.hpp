// Owns how far rows have been read that servers put behind ones that were read already.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>

#include "record/remembered_rays.hpp"

namespace edgecase::clickhouse {

/// Rows are read in the order of their places in passes; each pass begins a little before the end
/// of the one before it, because a row may be seen later than others that were stored after it.
class Progress {
  public:
    struct Place {
        uint32_t stored = 0;  // seconds since 1970, by the servers: one for all rows of an insert
        uint64_t ray = 0;     // 0: before all rows of that second

        auto operator<=>(const Place&) const = default;
    };
    // By the clocks of the servers, which may differ a little, and a batch may take a while.
    static constexpr uint32_t kOverlapSeconds = 15;
    /// Rows that may come again: whoever reads must know all of them.
    static constexpr size_t kMaximumAgain = record::RememberedRays::kMaximum / 2;

    explicit Progress(Place begin) : begin_(begin), place_(begin) {}

    /// What is wanted next is behind this.
    Place place() const { return place_; }
    void read(Place row);
    /// There are no more rows now.
    void end_pass();

  private:
    Place looking_back() const;

    Place begin_;  // of this pass
    Place place_;
    std::map<uint32_t, size_t> rows_;  // of this pass, by their second; the last of them
};

}  // namespace edgecase::clickhouse
