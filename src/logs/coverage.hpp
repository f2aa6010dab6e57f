// Owns which spans of time a log can speak for: a log that starts later, or has a gap, proves
// nothing of what it does not hold.
#pragma once

#include <cstdint>
#include <vector>

#include "logs/entry.hpp"

namespace edgecase::logs {

struct Span {
    LogTime from;
    LogTime to;
    bool operator==(const Span&) const = default;
};

/// The times of one file's lines, in the order of the file. Its memory does not grow with it.
class FileTimes {
  public:
    void add(LogTime time) {
        if (time == kNoTime) return;
        ++lines_;
        if (time <= latest_ && time >= latest_ - kDisorderUs) return;
        see(time);
    }
    /// The lines up to that one were not looked at: no gap is known among them.
    void bridge(LogTime time) {
        if (time == kNoTime || pieces_.empty() || time <= latest_) return;
        pieces_.back().to = latest_ = time;
    }
    uint64_t lines() const { return lines_; }

    static constexpr int64_t kDisorderUs = 600'000'000;  // a request may be logged so much later

    /// A piece of the file whose lines are never further apart than the one jump in front of it.
    struct Piece {
        LogTime from;
        LogTime to;
    };
    /// Pieces between the longest jumps, at most kMaximumPieces.
    std::vector<Piece> pieces() const;

  private:
    static constexpr size_t kMaximumPieces = 4096;
    void see(LogTime time);
    void merge_closest();

    uint64_t lines_ = 0;
    LogTime latest_ = kNoTime;
    std::vector<Piece> pieces_;
    int64_t jump_us_ = 2'000'000;  // shorter ones are none
};

/// What the files of one server cover together.
class Coverage {
  public:
    /// A jump counts as a gap if a log with so many lines a second would hardly ever have it.
    static Coverage of(std::vector<FileTimes::Piece> pieces, uint64_t lines);

    bool covers(LogTime from, LogTime to) const;
    const std::vector<Span>& spans() const { return spans_; }
    bool empty() const { return spans_.empty(); }
    LogTime from() const { return spans_.front().from; }
    LogTime to() const { return spans_.back().to; }
    int64_t gap_us() const { return gap_us_; }

  private:
    std::vector<Span> spans_;  // in order, apart by more than gap_us_
    int64_t gap_us_ = 0;
};

}  // namespace edgecase::logs
