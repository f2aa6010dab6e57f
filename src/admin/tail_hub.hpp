// Owns the live tail: records on their way from the worker threads to whoever watches.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "record/sink.hpp"

namespace edgecase::admin {

class TailHub {
  public:
    enum class Wanted : uint8_t { cases, all };

    /// What one watcher has not read yet; bounded.
    class Watcher {
      public:
        struct Taken {
            std::vector<std::string> rows;  // JSON
            uint64_t lost = 0;              // that there was no room for
        };
        Taken take();

      private:
        friend class TailHub;
        static constexpr size_t kMaximumRows = 512;
        static constexpr size_t kMaximumBytes = size_t{1} << 20;
        bool has_room() const { return rows_.size() < kMaximumRows && bytes_ < kMaximumBytes; }
        std::mutex mutex_;
        std::deque<std::string> rows_;
        size_t bytes_ = 0;  // of rows_
        uint64_t lost_ = 0;
        Wanted wanted_ = Wanted::cases;
    };

    std::shared_ptr<Watcher> watch(Wanted wanted);

    /// Cheap while nobody watches: one load.
    bool is_wanted(const record::RecordView& record) const {
        const uint32_t watching = watching_.load(std::memory_order_relaxed);
        return watching != 0 && ((watching & kAll) != 0 || record::is_case(record));
    }
    void publish(const record::RecordView& record);

  private:
    static constexpr uint32_t kCases = 1;
    static constexpr uint32_t kAll = 2;
    void note_wanted();

    std::atomic<uint32_t> watching_{0};
    std::mutex mutex_;
    std::vector<std::weak_ptr<Watcher>> watchers_;
};

/// As server-sent events: `record` for each row, `lost` where some are missing.
std::string events_text(const TailHub::Watcher::Taken& taken);

/// Writes to another sink and shows what is wanted.
class TailSink final : public record::Sink {
  public:
    TailSink(std::unique_ptr<record::Sink> sink, std::shared_ptr<TailHub> hub)
        : sink_(std::move(sink)), hub_(std::move(hub)) {}

    void write(const record::RecordView& record) override {
        sink_->write(record);
        if (hub_->is_wanted(record)) hub_->publish(record);
    }
    void flush() override { sink_->flush(); }

  private:
    std::unique_ptr<record::Sink> sink_;
    std::shared_ptr<TailHub> hub_;
};

}  // namespace edgecase::admin
