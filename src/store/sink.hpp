// Owns the worker thread's end of the store: records are encoded into blocks and handed over whole.
#pragma once

#include "record/sink.hpp"
#include "store/block_queue.hpp"

namespace edgecase::store {

/// For one thread. Takes no lock for a record, one for a block.
class BlockSink final : public record::Sink {
  public:
    explicit BlockSink(BlockQueue& queue) : queue_(queue) {}
    BlockSink(const BlockSink&) = delete;
    BlockSink& operator=(const BlockSink&) = delete;
    ~BlockSink() override { flush(); }

    void write(const record::RecordView& record) override;
    void flush() override;

  private:
    void hand_over_successes();
    void hand_over_cases();

    BlockQueue& queue_;
    Block successes_;
    Block cases_;
};

}  // namespace edgecase::store
