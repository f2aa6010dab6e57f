// Owns the worker thread's end of the store: records are encoded into blocks and handed over whole.
#pragma once

#include "record/sink.hpp"
#include "store/block_queue.hpp"
#include "store/rollup_inbox.hpp"

namespace edgecase::store {

/// For one thread. Takes no lock for a record, one for a block.
class BlockSink final : public record::Sink {
  public:
    BlockSink(BlockQueue& queue, RollupInbox& rollups, bool keeps_successes)
        : queue_(queue), rollups_(rollups), keeps_successes_(keeps_successes) {}
    BlockSink(const BlockSink&) = delete;
    BlockSink& operator=(const BlockSink&) = delete;
    ~BlockSink() override { flush(); }

    void write(const record::RecordView& record) override;
    void flush() override;

  private:
    void hand_over_successes();
    void hand_over_cases();
    void hand_over_rollups();

    BlockQueue& queue_;
    RollupInbox& rollups_;
    const bool keeps_successes_;
    record::RollupTable table_;
    int64_t minute_ = 0;  // in which the requests in table_ ended
    Block successes_;
    Block cases_;
};

}  // namespace edgecase::store
