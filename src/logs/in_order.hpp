// Owns the order of a log's lines: how far they are out of it, and a buffer that puts them back.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "logs/entry.hpp"

namespace edgecase::logs {

/// The time that a log has come to, whatever a single line says (a clock that was wrong for a
/// moment): the latest that kLines in a row do not fall below.
class LogClock {
  public:
    void add(LogTime time) {
        least_ = std::min(least_, time);
        if (++count_ % kLines != 0) return;
        now_ = std::max(now_, least_);
        least_ = INT64_MAX;
    }
    LogTime now() const { return now_; }

  private:
    static constexpr uint32_t kLines = 16;
    uint32_t count_ = 0;
    LogTime least_ = INT64_MAX;
    LogTime now_ = INT64_MIN / 2;
};

/// What is known of one file's order once it was read.
class FileOrder {
  public:
    /// `time`: by which the file should be in order; `begin`: of the same request, not later.
    void add(LogTime time, LogTime begin) {
        earliest_ = std::min(earliest_, begin);
        clock_.add(time);
        disorder_us_ = std::max(disorder_us_, clock_.now() - time);
        begin_disorder_us_ = std::max(begin_disorder_us_, clock_.now() - begin);
    }
    LogTime earliest() const { return earliest_; }
    /// No line's time is further behind the time that the log has come to.
    int64_t disorder_us() const { return disorder_us_; }
    int64_t begin_disorder_us() const { return begin_disorder_us_; }

  private:
    LogClock clock_;
    LogTime earliest_ = INT64_MAX;
    int64_t disorder_us_ = 0;
    int64_t begin_disorder_us_ = 0;
};

/// Items that come in the order of a file, given in the order of time. What a file's disorder would
/// hold beyond `maximum_bytes` is given too early, out of order.
template <typename Item>
class InOrder {
  public:
    InOrder(int64_t disorder_us, size_t maximum_bytes)
        : disorder_us_(disorder_us), maximum_bytes_(maximum_bytes) {}

    /// Of every line, also of those that are not put in.
    void see(LogTime time) { clock_.add(time); }
    void put(Item item, LogTime time, size_t bytes) {
        uint32_t slot = 0;
        if (free_.empty()) {
            slot = static_cast<uint32_t>(items_.size());
            items_.push_back(std::move(item));
        } else {
            slot = free_.back();
            free_.pop_back();
            items_[slot] = std::move(item);
        }
        heap_.push_back({time, number_++, slot, static_cast<uint32_t>(bytes)});
        std::ranges::push_heap(heap_, Later());
        bytes_ += bytes;
    }
    bool empty() const { return heap_.empty(); }
    /// Nothing earlier will come.
    bool is_due() const {
        return !heap_.empty() &&
               (bytes_ > maximum_bytes_ || heap_.front().time + disorder_us_ <= clock_.now());
    }
    Item take() {
        std::ranges::pop_heap(heap_, Later());
        const Place place = heap_.back();
        heap_.pop_back();
        free_.push_back(place.slot);
        bytes_ -= place.bytes;
        return std::move(items_[place.slot]);
    }

  private:
    struct Place {
        LogTime time;
        uint64_t number;  // lines of one second stay in their order
        uint32_t slot;
        uint32_t bytes;
    };
    struct Later {
        bool operator()(const Place& a, const Place& b) const {
            return a.time != b.time ? a.time > b.time : a.number > b.number;
        }
    };

    int64_t disorder_us_;
    size_t maximum_bytes_;
    LogClock clock_;
    std::vector<Item> items_;
    std::vector<uint32_t> free_;
    std::vector<Place> heap_;
    uint64_t number_ = 0;
    size_t bytes_ = 0;
};

}  // namespace edgecase::logs
