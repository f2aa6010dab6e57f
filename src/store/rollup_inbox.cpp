#include "store/rollup_inbox.hpp"

#include <utility>

namespace edgecase::store {

void RollupInbox::add(int64_t minute, const record::RollupTable& table) {
    const std::scoped_lock lock(mutex_);
    merge(minute, table);
}

void RollupInbox::merge(int64_t minute, const record::RollupTable& table) {
    minutes_[minute].merge(table);
    if (minutes_.size() <= kMaximumMinutes) return;
    for (const auto& [key, counts] : minutes_.begin()->second.kinds()) {
        if (key.family == record::RollupFamily::origin) lost_ += counts.requests;
    }
    minutes_.erase(minutes_.begin());
}

record::RollupMinutes RollupInbox::take() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(minutes_, {});
}

void RollupInbox::give_back(const record::RollupMinutes& minutes) {
    const std::scoped_lock lock(mutex_);
    for (const auto& [minute, table] : minutes) merge(minute, table);
}

uint64_t RollupInbox::lost() const {
    const std::scoped_lock lock(mutex_);
    return lost_;
}

}  // namespace edgecase::store
