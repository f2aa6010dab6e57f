#include "logs/coverage.hpp"

#include <algorithm>

namespace edgecase::logs {
namespace {

// A quiet site is quiet for so long without a gap in its log.
constexpr int64_t kLeastGapUs = 10'000'000;
// Poisson arrivals leave a hole of 30 mean distances once in e^30.
constexpr int64_t kGapInMeanDistances = 30;

}  // namespace

void FileTimes::see(LogTime time) {
    if (pieces_.empty()) {
        pieces_.push_back({time, time});
        latest_ = time;
        return;
    }
    const int64_t jump = time - latest_;
    if (jump < 0 || jump > jump_us_) {
        pieces_.push_back({time, time});
        if (pieces_.size() > kMaximumPieces) merge_closest();
    } else {
        pieces_.back().to = std::max(pieces_.back().to, time);
    }
    latest_ = time;
}

/// Half of the jumps, the shorter ones, are given up.
void FileTimes::merge_closest() {
    std::vector<int64_t> jumps;
    for (size_t i = 1; i < pieces_.size(); ++i) {
        const int64_t jump = pieces_[i].from - pieces_[i - 1].to;
        if (jump >= 0) jumps.push_back(jump);
    }
    if (jumps.empty()) return;
    const auto middle = jumps.begin() + static_cast<int64_t>(jumps.size() / 2);
    std::ranges::nth_element(jumps, middle);
    jump_us_ = std::max(jump_us_ + 1, *middle);
    std::vector<Piece> merged{pieces_.front()};
    for (size_t i = 1; i < pieces_.size(); ++i) {
        const int64_t jump = pieces_[i].from - merged.back().to;
        if (jump >= 0 && jump <= jump_us_) {
            merged.back().to = std::max(merged.back().to, pieces_[i].to);
        } else {
            merged.push_back(pieces_[i]);
        }
    }
    pieces_ = std::move(merged);
}

std::vector<FileTimes::Piece> FileTimes::pieces() const {
    return pieces_;
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
    coverage.gap_us_ = std::max(kLeastGapUs, kGapInMeanDistances * mean);
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
