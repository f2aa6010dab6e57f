// Owns the formats of logs that say why: error logs, journals, kernel logs, process managers.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "logs/reader.hpp"

namespace edgecase::logs {

struct EventContext {
    int64_t zone_us = 0;     // east of UTC, of logs that name no zone
    LogTime near = 0;        // about when, for logs without a year
    LogTime boot = kNoTime;  // of kernel lines that count from it; unknown: such a line has no time
};

std::span<const std::string_view> event_format_names();  // `nginx-error`, `journal`, ...

/// Null: no such name.
std::unique_ptr<EventReader> event_reader(std::string_view name, const EventContext& context);

/// Why lines that no format reads are of no use: HAProxy's default log names no request, and raw
/// output has no times.
bool is_haproxy_without_requests(std::span<const std::string_view> lines);
bool have_no_times(std::span<const std::string_view> lines);

/// The name of the format that reads the most of the lines; empty: none reads half of them.
std::string_view recognise_events(std::span<const std::string_view> lines);

}  // namespace edgecase::logs
