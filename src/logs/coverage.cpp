#include "logs/coverage.hpp"

#include <algorithm>

namespace edgecase::logs {
namespace {

// A quiet site is quiet for so long without a gap in its log; a busy one, of which a hole of 300
// mean distances is no longer than that, is not.
constexpr int64_t kLeastGapUs = 3'000'000;
constexpr int64_t kLeastQuietGapUs = 10'000'000;
constexpr int64_t kQuietGapInMeanDistances = 300;
// Poisson arrivals leave a hole of 30 mean distances once in e^30.
constexpr int64_t kGapInMeanDistances = 30;

std::vector<FileTimes::Piece> merged(std::vector<FileTimes::Piece> pieces, int64_t jump_us) {
    std::ranges::sort(pieces, {}, &FileTimes::Piece::from);
    size_t last = 0;
    for (size_t i = 1; i < pieces.size(); ++i) {
        if (pieces[i].from - pieces[last].to <= jump_us) {
            pieces[last].to = std::max(pieces[last].to, pieces[i].to);
        } else {
            pieces[++last] = pieces[i];
        }
    }
    if (!pieces.empty()) pieces.resize(last + 1);
    return pieces;
}

}  // namespace

void FileTimes::see(LogTime time) {
    if (!pieces_.empty()) {
        Piece& current = pieces_.back();
        if (time > current.to && time - current.to <= jump_us_) {
            current.to = time;
            return;
        }
        if (time < current.from && current.from - time <= jump_us_) {
            current.from = time;
            return;
        }
    }
    // Sorted only when there are many: a log in no order costs no more than a sort.
    if (pieces_.size() >= 2 * kMaximumPieces) settle();
    pieces_.push_back({time, time});
}

/// In order and without overlaps; if they are still many, the shorter half of the jumps is given
/// up.
void FileTimes::settle() {
    pieces_ = merged(std::move(pieces_), jump_us_);
    while (pieces_.size() > kMaximumPieces) {
        std::vector<int64_t> jumps;
        for (size_t i = 1; i < pieces_.size(); ++i) {
            jumps.push_back(pieces_[i].from - pieces_[i - 1].to);
        }
        const auto middle = jumps.begin() + static_cast<int64_t>(jumps.size() / 2);
        std::ranges::nth_element(jumps, middle);
        jump_us_ = std::max(jump_us_ + 1, *middle);
        pieces_ = merged(std::move(pieces_), jump_us_);
    }
}

std::vector<FileTimes::Piece> FileTimes::pieces() const {
    FileTimes copy = *this;
    copy.settle();
    return copy.pieces_;
}

Coverage Coverage::of(std::vector<FileTimes::Piece> pieces, uint64_t lines) {
    Coverage coverage;
    if (pieces.empty()) return coverage;
    std::ranges::sort(pieces, {}, &FileTimes::Piece::from);
    // The rate without the longest jumps: a night's gap must not hide an hour's.
    int64_t length = 0;
    LogTime end = pieces.front().from;
    std::vector<int64_t> jumps;
    for (const FileTimes::Piece& one : pieces) {
        if (one.from > end) jumps.push_back(one.from - end);
        length += std::max<int64_t>(0, one.to - std::max(one.from, end));
        end = std::max(end, one.to);
    }
    std::ranges::sort(jumps);
    jumps.resize(jumps.size() * 19 / 20);
    for (const int64_t jump : jumps) length += jump;
    const int64_t mean = length / static_cast<int64_t>(std::max<uint64_t>(1, lines));
    const int64_t least =
        std::clamp(kQuietGapInMeanDistances * mean, kLeastGapUs, kLeastQuietGapUs);
    coverage.gap_us_ = std::max(least, kGapInMeanDistances * mean);
    for (const FileTimes::Piece& one : pieces) {
        if (!coverage.spans_.empty() && one.from - coverage.spans_.back().to <= coverage.gap_us_) {
            coverage.spans_.back().to = std::max(coverage.spans_.back().to, one.to);
        } else {
            coverage.spans_.push_back({one.from, one.to});
        }
    }
    return coverage;
}

bool Coverage::covers(LogTime from, LogTime to) const {
    const auto after = std::ranges::upper_bound(spans_, from, {}, &Span::from);
    return after != spans_.begin() && (after - 1)->to >= to;
}

}  // namespace edgecase::logs
