#include "admin/tail_hub.hpp"

#include <utility>

#include "admin/records_api.hpp"
#include "base/byte_buffer.hpp"
#include "record/binary.hpp"

namespace edgecase::admin {

TailHub::Watcher::Taken TailHub::Watcher::take() {
    const std::lock_guard lock(mutex_);
    Taken taken{{std::make_move_iterator(rows_.begin()), std::make_move_iterator(rows_.end())},
                std::exchange(lost_, 0)};
    rows_.clear();
    bytes_ = 0;
    return taken;
}

std::shared_ptr<TailHub::Watcher> TailHub::watch(Wanted wanted) {
    auto watcher = std::make_shared<Watcher>();
    watcher->wanted_ = wanted;
    const std::lock_guard lock(mutex_);
    watchers_.push_back(watcher);
    note_wanted();
    return watcher;
}

void TailHub::note_wanted() {
    std::erase_if(watchers_, [](const auto& one) { return one.expired(); });
    uint32_t watching = 0;
    for (const auto& one : watchers_) {
        const auto watcher = one.lock();
        if (watcher) watching |= watcher->wanted_ == Wanted::all ? kAll : kCases;
    }
    watching_.store(watching, std::memory_order_relaxed);
}

void TailHub::publish(const record::RecordView& record) {
    const bool is_case = record::is_case(record);
    std::vector<std::shared_ptr<Watcher>> readers;
    {
        const std::lock_guard lock(mutex_);
        bool gone = false;
        for (const auto& one : watchers_) {
            auto watcher = one.lock();
            gone = gone || !watcher;
            if (!watcher || (!is_case && watcher->wanted_ != Wanted::all)) continue;
            const std::lock_guard inner(watcher->mutex_);
            if (watcher->has_room()) {
                readers.push_back(std::move(watcher));
            } else {
                ++watcher->lost_;
            }
        }
        if (gone) note_wanted();
    }
    // Only now, and without the lock: what nobody has room for costs no worker more than that.
    if (readers.empty()) return;
    base::ByteBuffer bytes;
    encode(bytes, record);
    const auto owned = record::BlockReader(bytes.view()).next();
    if (!owned) return;
    const std::string row = case_row(*owned).dump();
    for (const auto& watcher : readers) {
        const std::lock_guard lock(watcher->mutex_);
        watcher->rows_.push_back(row);
        watcher->bytes_ += row.size();
    }
}

std::string events_text(const TailHub::Watcher::Taken& taken) {
    std::string text;
    for (const std::string& row : taken.rows) text += "event: record\ndata: " + row + "\n\n";
    if (taken.lost != 0) {
        text += "event: lost\ndata: {\"count\":" + std::to_string(taken.lost) + "}\n\n";
    }
    return text;
}

}  // namespace edgecase::admin
