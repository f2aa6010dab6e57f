// Owns which spans of time a log can speak for: a log that starts later, or has a gap, proves
// nothing of what it does not hold.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "logs/entry.hpp"

namespace edgecase::logs {

struct Span {
    LogTime from;
    LogTime to;
    bool operator==(const Span&) const = default;
};

/// The times of one file's lines, in any order. Its memory does not grow with it.
class FileTimes {
  public:
    void add(LogTime time) {
        if (time == kNoTime) return;
        ++lines_;
        if (!pieces_.empty() && time >= pieces_.back().from && time <= pieces_.back().to) return;
        see(time);
    }
    /// The lines between the last one and that one were not looked at: no gap is known among them.
    void bridge(LogTime time) {
        if (time == kNoTime || pieces_.empty()) return;
        pieces_.back().from = std::min(pieces_.back().from, time);
        pieces_.back().to = std::max(pieces_.back().to, time);
    }
    uint64_t lines() const { return lines_; }

    /// A piece of time whose lines are not further apart than the shortest jump between pieces.
    struct Piece {
        LogTime from;
        LogTime to;
    };
    /// Pieces between the longest jumps, in order, at most kMaximumPieces.
    std::vector<Piece> pieces() const;

    static constexpr size_t kMaximumPieces = 4096;

  private:
    void see(LogTime time);
    void settle();

    uint64_t lines_ = 0;
    std::vector<Piece> pieces_;    // as they came: the last one is under way
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
