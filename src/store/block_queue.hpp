// Owns the bounded queue between the worker threads' sinks and the writer thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

#include "base/byte_buffer.hpp"
#include "record/ray_id.hpp"

namespace edgecase::store {

/// Encoded records of one kind, back to back, as one sink collected them.
struct Block {
    base::ByteBuffer bytes;
    record::RayId first_ray;  // lowest and highest inside; records need not be in order
    record::RayId last_ray;
    int64_t end_ms = 0;  // when the last of them was over
    size_t count = 0;
};

/// A block of successes is this large, so that one push pays for several hundred requests and one
/// row of the database for as many records.
constexpr size_t kBlockBytes = size_t{64} * 1024;

/// Cases carry evidence and may be large; this bounds their memory whatever their number.
constexpr size_t kMaximumCaseBytes = size_t{64} * 1024 * 1024;

/// What the writer puts into one transaction.
struct Batch {
    std::vector<Block> successes;
    std::vector<Block> cases;
    bool empty() const { return successes.empty() && cases.empty(); }
};

/// Pushing never waits for the writer: what does not fit is dropped and counted.
class BlockQueue {
  public:
    BlockQueue(size_t maximum_success_blocks, size_t maximum_cases)
        : maximum_success_blocks_(maximum_success_blocks), maximum_cases_(maximum_cases) {}

    /// Gives a used, cleared buffer back if there is one, to spare an allocation.
    base::ByteBuffer push_successes(Block block);
    void push_cases(Block block);

    /// The oldest blocks, as many as one transaction should hold. Waits up to `wait` unless
    /// there is a whole batch, a queue is half full, or stop() was called.
    Batch take(std::chrono::milliseconds wait);
    /// Sleeps like take() but leaves everything where it is; returns early only on stop().
    void pause(std::chrono::milliseconds wait);
    /// Puts blocks that could not be written back to the front.
    void give_back(Batch batch);
    void recycle(Batch batch);

    void stop();
    bool stopped() const;

    struct Dropped {
        uint64_t successes = 0;
        uint64_t cases = 0;
    };
    /// Records there was no room for.
    Dropped dropped() const;

  private:
    base::ByteBuffer spare();
    bool pressing() const;

    const size_t maximum_success_blocks_;
    const size_t maximum_cases_;
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Block> successes_;
    std::deque<Block> cases_;
    size_t waiting_cases_ = 0;       // records in cases_
    size_t waiting_case_bytes_ = 0;  // of memory, not only of content
    std::vector<base::ByteBuffer> spares_;
    Dropped dropped_;
    bool stopped_ = false;
};

}  // namespace edgecase::store
