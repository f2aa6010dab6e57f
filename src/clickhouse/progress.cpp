#include "clickhouse/progress.hpp"

#include <algorithm>

namespace edgecase::clickhouse {

void Progress::read(Place row) {
    place_ = row;
    ++rows_[row.stored];
    const uint32_t oldest = row.stored - std::min(row.stored, kOverlapSeconds);
    rows_.erase(rows_.begin(), rows_.lower_bound(oldest));
}

void Progress::end_pass() {
    begin_ = place_ = std::max(begin_, looking_back());
    rows_.clear();
}

Progress::Place Progress::looking_back() const {
    size_t again = 0;
    for (auto second = rows_.rbegin(); second != rows_.rend(); ++second) {
        again += second->second;
        if (again <= kMaximumAgain) continue;
        // The seconds behind it alone, and if it is the last one, nothing.
        return second == rows_.rbegin() ? place_ : Place{.stored = second->first + 1};
    }
    return {.stored = place_.stored - std::min(place_.stored, kOverlapSeconds)};
}

}  // namespace edgecase::clickhouse
