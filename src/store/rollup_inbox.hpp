// Owns the rollups on their way from the worker threads to the writer thread.
#pragma once

#include <cstdint>
#include <mutex>

#include "record/rollup.hpp"

namespace edgecase::store {

class RollupInbox {
  public:
    /// While the file cannot be written, so many minutes wait; of older ones the requests are lost.
    static constexpr size_t kMaximumMinutes = 30;

    void add(int64_t minute, const record::RollupTable& table);
    record::RollupMinutes take();
    /// Puts back what could not be written.
    void give_back(const record::RollupMinutes& minutes);
    /// Requests that were not counted because there was no room.
    uint64_t lost() const;

  private:
    void merge(int64_t minute, const record::RollupTable& table);

    mutable std::mutex mutex_;
    record::RollupMinutes minutes_;
    uint64_t lost_ = 0;
};

}  // namespace edgecase::store
