#include "store/block_queue.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace edgecase::store {
namespace {

// One transaction: small enough to be readable soon, large enough to pay for its commit.
constexpr size_t kBatchSuccessBlocks = 64;
constexpr size_t kBatchCaseBlocks = 256;
constexpr size_t kMaximumSpares = 16;

std::vector<Block> take_front(std::deque<Block>& from, size_t maximum) {
    const auto end = from.begin() + static_cast<std::ptrdiff_t>(std::min(maximum, from.size()));
    std::vector<Block> taken(std::make_move_iterator(from.begin()), std::make_move_iterator(end));
    from.erase(from.begin(), end);
    return taken;
}

void put_front(std::deque<Block>& into, std::vector<Block> blocks) {
    into.insert(into.begin(), std::make_move_iterator(blocks.begin()),
                std::make_move_iterator(blocks.end()));
}

}  // namespace

base::ByteBuffer BlockQueue::push_successes(Block block) {
    const std::scoped_lock lock(mutex_);
    if (successes_.size() >= maximum_success_blocks_) {
        dropped_.successes += block.count;
        block.bytes.clear();
        return std::move(block.bytes);
    }
    successes_.push_back(std::move(block));
    if (pressing()) wake_.notify_one();
    return spare();
}

void BlockQueue::push_cases(Block block) {
    const std::scoped_lock lock(mutex_);
    if (waiting_cases_ + block.count > maximum_cases_ ||
        waiting_case_bytes_ + block.bytes.capacity() > kMaximumCaseBytes) {
        dropped_.cases += block.count;
        return;
    }
    waiting_cases_ += block.count;
    waiting_case_bytes_ += block.bytes.capacity();
    cases_.push_back(std::move(block));
    if (pressing()) wake_.notify_one();
}

Batch BlockQueue::take(std::chrono::milliseconds wait) {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, wait, [this] { return stopped_ || pressing(); });
    Batch batch;
    batch.cases = take_front(cases_, kBatchCaseBlocks);
    for (const Block& block : batch.cases) {
        waiting_cases_ -= block.count;
        waiting_case_bytes_ -= block.bytes.capacity();
    }
    batch.successes = take_front(successes_, kBatchSuccessBlocks);
    return batch;
}

void BlockQueue::pause(std::chrono::milliseconds wait) {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, wait, [this] { return stopped_; });
}

void BlockQueue::give_back(Batch batch) {
    const std::scoped_lock lock(mutex_);
    for (const Block& block : batch.cases) {
        waiting_cases_ += block.count;
        waiting_case_bytes_ += block.bytes.capacity();
    }
    put_front(cases_, std::move(batch.cases));
    put_front(successes_, std::move(batch.successes));
}

void BlockQueue::recycle(Batch batch) {
    const std::scoped_lock lock(mutex_);
    for (std::vector<Block>* blocks : {&batch.successes, &batch.cases}) {
        for (Block& block : *blocks) {
            if (spares_.size() == kMaximumSpares) return;
            if (block.bytes.capacity() != kBlockBytes) continue;
            block.bytes.clear();
            spares_.push_back(std::move(block.bytes));
        }
    }
}

void BlockQueue::stop() {
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
    wake_.notify_all();
}

bool BlockQueue::stopped() const {
    const std::scoped_lock lock(mutex_);
    return stopped_;
}

BlockQueue::Dropped BlockQueue::dropped() const {
    const std::scoped_lock lock(mutex_);
    return dropped_;
}

base::ByteBuffer BlockQueue::spare() {
    if (spares_.empty()) return {};
    base::ByteBuffer buffer = std::move(spares_.back());
    spares_.pop_back();
    return buffer;
}

/// The writer looks by itself ten times a second; it is woken only when a batch is full or a queue
/// half full, since a wake-up costs the worker a system call.
bool BlockQueue::pressing() const {
    return successes_.size() >= std::min(kBatchSuccessBlocks, (maximum_success_blocks_ + 1) / 2) ||
           cases_.size() >= kBatchCaseBlocks || waiting_cases_ * 2 > maximum_cases_ ||
           waiting_case_bytes_ * 2 > kMaximumCaseBytes;
}

}  // namespace edgecase::store
