#include "clickhouse/windows.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "clickhouse/row_binary.hpp"
#include "clickhouse/seconds.hpp"
#include "record/ray_time.hpp"

namespace edgecase::clickhouse {
namespace {

constexpr uint32_t kMinute = 60;

Window window(uint32_t since, uint32_t until) {
    const uint64_t end = first_ray_of(until);
    return {.first = first_ray_of(since),
            .last = end == 0 ? 0 : end - 1,  // before the first ray of all
            .since = since,
            .until = until};
}

/// A minute with too many records, in slices of its rays.
void slice(const Minute& minute, std::vector<Window>& into) {
    const Window whole = window(minute.start, minute.start + kMinute);
    const uint64_t slices = minute.records / kWindowRecords + 1;
    const uint64_t width = (whole.last - whole.first) / slices + 1;
    for (uint64_t first = whole.first; first <= whole.last; first += width) {
        Window one = whole;
        one.first = first;
        one.last = std::min(whole.last, first + width - 1);
        into.push_back(one);
        if (one.last == whole.last) break;
    }
}

}  // namespace

std::expected<std::vector<Minute>, std::string> count_minutes(Reading& reading, Kind kind,
                                                              base::WallTime since) {
    const auto rows = reading.ask(fmt::format(
        "SELECT toUInt32(intDiv(toUInt32(EdgeStartTimestamp), 60) * 60) AS minute, "
        "toUInt64(count()) FROM {} WHERE EdgeStartTimestamp >= toDateTime({}) GROUP BY minute "
        "ORDER BY minute",
        whole_table(reading.settings(), table_of(kind)), seconds_of(since)));
    if (!rows) return std::unexpected(rows.error());
    std::vector<Minute> minutes;
    RowReader reader(*rows);
    while (!reader.empty()) {
        Minute minute;
        minute.start = reader.number<uint32_t>();
        minute.records = reader.number<uint64_t>();
        minutes.push_back(minute);
    }
    return minutes;
}

void leave_out_future(std::vector<Minute>& minutes, base::WallTime now) {
    std::erase_if(minutes, [&](const Minute& minute) { return time_of(minute.start) > now; });
}

base::WallTime start_of_newest(const std::vector<Minute>& minutes, uint64_t maximum,
                               base::WallTime now) {
    uint64_t left = maximum;
    for (size_t i = minutes.size(); i-- > 0;) {
        const Minute& minute = minutes[i];
        if (minute.records <= left) {
            left -= minute.records;
            continue;
        }
        const base::WallTime start = time_of(minute.start);
        const base::WallTime end = std::min(now, time_of(minute.start + kMinute));
        const auto share = static_cast<double>(left) / static_cast<double>(minute.records);
        return end - std::chrono::duration_cast<std::chrono::microseconds>((end - start) * share);
    }
    return {};
}

std::vector<Window> windows_of(const std::vector<Minute>& minutes) {
    std::vector<Window> windows;
    uint64_t records = 0;
    for (size_t i = 0; i < minutes.size(); ++i) {
        const Minute& minute = minutes[i];
        if (minute.records > kWindowRecords) {
            slice(minute, windows);
            records = kWindowRecords;  // what follows begins anew
            continue;
        }
        const bool together = !windows.empty() && records + minute.records <= kWindowRecords;
        if (together) {
            windows.back() = window(windows.back().since, minute.start + kMinute);
            records += minute.records;
        } else {
            windows.push_back(window(minute.start, minute.start + kMinute));
            records = minute.records;
        }
    }
    return windows;
}

std::string condition_of(const Window& window) {
    return fmt::format(
        "ray >= {} AND ray <= {} AND EdgeStartTimestamp >= toDateTime({}) AND "
        "EdgeStartTimestamp < toDateTime({})",
        window.first, window.last, window.since, window.until);
}

uint64_t first_ray_of(uint32_t second) {
    return record::first_ray_at(base::WallTime(std::chrono::seconds(second))).value();
}

}  // namespace edgecase::clickhouse
