#include "store/sink.hpp"

#include <algorithm>
#include <utility>

#include "record/binary.hpp"

namespace edgecase::store {
namespace {

// What is free behind this mark holds any usual record, so the buffer does not grow beyond a block.
constexpr size_t kFullBytes = kBlockBytes - size_t{4} * 1024;
// Cases should reach the disk soon, and a block of them is what a full queue drops at once.
constexpr size_t kFullCaseBytes = size_t{16} * 1024;

void append(Block& block, const record::RecordView& record) {
    encode(block.bytes, record);
    if (block.count == 0) {
        block.first_ray = block.last_ray = record.ray;
        block.end_ms = 0;
    }
    block.first_ray = std::min(block.first_ray, record.ray);
    block.last_ray = std::max(block.last_ray, record.ray);
    const auto end = record.start.time_since_epoch().count() + record.duration_us;
    block.end_ms = std::max<int64_t>(block.end_ms, end / 1000);
    ++block.count;
}

}  // namespace

void BlockSink::write(const record::RecordView& record) {
    const int64_t minute = record::minute_of(record);
    if (minute != minute_) {
        hand_over_rollups();
        minute_ = minute;
    }
    table_.add(record);
    if (record::is_case(record)) {
        append(cases_, record);
        if (cases_.bytes.size() >= kFullCaseBytes) hand_over_cases();
    } else if (keeps_successes_) {
        if (successes_.bytes.capacity() == 0) successes_.bytes.reserve(kBlockBytes);
        append(successes_, record);
        if (successes_.bytes.size() >= kFullBytes) hand_over_successes();
    }
}

void BlockSink::flush() {
    if (cases_.count != 0) hand_over_cases();
    if (successes_.count != 0) hand_over_successes();
    hand_over_rollups();
}

void BlockSink::hand_over_successes() {
    base::ByteBuffer buffer = queue_.push_successes(std::exchange(successes_, {}));
    successes_.bytes = std::move(buffer);
}

void BlockSink::hand_over_cases() {
    queue_.push_cases(std::exchange(cases_, {}));
}

void BlockSink::hand_over_rollups() {
    if (table_.empty()) return;
    rollups_.add(minute_, table_);
    table_.clear();
}

}  // namespace edgecase::store
