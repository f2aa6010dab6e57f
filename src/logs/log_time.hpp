// Owns the reading of times as logs write them.
#pragma once

#include <optional>
#include <string_view>

#include "logs/entry.hpp"

namespace edgecase::logs {

/// All take the whole text, without brackets or quotes. Errors: nullopt.

/// `10/Oct/2000:13:55:36 -0700`; also with milliseconds behind the second, also without a zone.
std::optional<LogTime> clf_time(std::string_view text, int64_t zone_us = 0);

/// `2026-11-01T10:00:00.123456+01:00`: T or a space, any number of digits of a second, `.` or `,`
/// before them, Z, an offset with or without a colon, or nothing.
std::optional<LogTime> iso_time(std::string_view text, int64_t zone_us = 0);

/// `2026/11/01 10:00:00`: nginx's error log. In the time of `zone_us` east of UTC.
std::optional<LogTime> slash_time(std::string_view text, int64_t zone_us = 0);

/// `Wed Oct 11 14:32:52.123456 2026`: Apache's error log, with or without the weekday.
std::optional<LogTime> apache_error_time(std::string_view text, int64_t zone_us = 0);

/// `Nov  1 10:00:00`: syslog. The year is the one that puts it nearest to `near`.
std::optional<LogTime> syslog_time(std::string_view text, LogTime near, int64_t zone_us = 0);

/// `01-Nov-2026 10:00:00` with or without a fraction and a zone's name behind: PHP, PHP-FPM.
std::optional<LogTime> dash_time(std::string_view text, int64_t zone_us = 0);

/// A number since 1970: seconds, milliseconds, microseconds or nanoseconds by its size, fractions
/// allowed.
std::optional<LogTime> epoch_time(std::string_view text);

/// `+0100`, `+01:00`, `-07:00`, `Z`: microseconds east of UTC.
std::optional<int64_t> zone_offset(std::string_view text);

/// The offset in a CLF time; nullopt: it has none.
std::optional<int64_t> clf_zone(std::string_view text);

}  // namespace edgecase::logs
