#include <algorithm>
#include <cstddef>

#include "base/ascii.hpp"
#include "logs/event_lines.hpp"
#include "logs/event_text.hpp"
#include "logs/log_time.hpp"

namespace edgecase::logs {
namespace {

constexpr Phrase kPhrases[] = {
    {"ut of memory: Kill", EventKind::out_of_memory},  // also `Memory cgroup out of memory`
    {"oom-kill:constraint=", EventKind::out_of_memory},
    {"invoked oom-killer", EventKind::out_of_memory},
    {"oom_reaper: reaped process", EventKind::out_of_memory},
    {"]: segfault at ", EventKind::segfault},
    {"traps: ... general protection", EventKind::segfault},
    {"traps: ... trap ", EventKind::segfault},
    {"Possible SYN flooding on port", EventKind::workers_exhausted},
    {"nf_conntrack: ... table full", EventKind::workers_exhausted},
    {"TCP: out of memory", EventKind::workers_exhausted},
    {"Linux version ", EventKind::restarted},
};

constexpr std::string_view kSeverities[] = {"emerg",   "alert",  "crit", "err",
                                            "warning", "notice", "info", "debug"};

/// `<6>`. Empty: none.
std::string_view take_priority(std::string_view& rest) {
    if (!rest.starts_with('<')) return {};
    const auto number = leading_number(rest.substr(1));
    const auto behind_it = behind(rest, ">");
    if (!number || !behind_it) return {};
    rest = *behind_it;
    return syslog_severity(*number % 8);
}

/// Microseconds since boot: `12345.678901`, with spaces before it.
std::optional<int64_t> since_boot(std::string_view text) {
    constexpr int64_t kLargest = 100LL * 366 * 24 * 3600;
    text = base::trim(text);
    const size_t point = text.find('.');
    if (point == std::string_view::npos || text.size() != point + 7) return std::nullopt;
    const std::string_view fraction = text.substr(point + 1);
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (!std::ranges::all_of(fraction, is_digit)) return std::nullopt;
    if (!std::ranges::all_of(text.substr(0, point), is_digit)) return std::nullopt;
    const auto seconds = leading_number(text);
    const auto microseconds = leading_number(fraction);
    if (!seconds || !microseconds || *seconds > kLargest) return std::nullopt;
    return *seconds * 1'000'000 + *microseconds;
}

/// `dmesg --time-format iso`: its comma tells it from other logs.
bool take_iso_time(std::string_view& rest, const EventContext& context, EventView& into) {
    const std::string_view text = up_to(rest, " ");
    if (text.size() < 20 || text[10] != 'T' || text[19] != ',') return false;
    const auto time = iso_time(text, context.zone_us);
    if (!time || text.size() == rest.size()) return false;
    into.time = *time;
    into.resolution_us = resolution_of(text);
    rest.remove_prefix(text.size() + 1);
    return true;
}

bool take_bracketed_time(std::string_view& rest, const EventContext& context, EventView& into) {
    const auto text = take_bracketed(rest);
    if (!text) return false;
    if (const auto since = since_boot(*text)) {
        // The boot's own time is not known any better than that, so the resolution stays a second.
        if (context.boot != kNoTime) into.time = context.boot + *since;
        return true;
    }
    const auto time = apache_error_time(*text, context.zone_us);
    if (!time) return false;
    into.time = *time;
    return true;
}

/// The number of `name[123]: segfault`, `traps: name[123] general protection`.
int64_t bracketed_pid(std::string_view text) {
    for (size_t at = text.find('['); at != std::string_view::npos; at = text.find('[', at + 1)) {
        const auto pid = leading_number(text.substr(at + 1));
        if (pid) return *pid;
    }
    return -1;
}

}  // namespace

std::string_view syslog_severity(int64_t number) {
    if (number < 0 || number >= std::ssize(kSeverities)) return {};
    return kSeverities[number];
}

void read_kernel_message(EventView& into) {
    into.system = "kernel";
    const std::string_view message = into.message;
    into.kind = kind_of(message, kPhrases);
    into.pid = -1;
    if (into.kind == EventKind::segfault) into.pid = bracketed_pid(message);
    if (into.kind != EventKind::out_of_memory) return;
    // `Killed process 123 (php-fpm)`, `reaped process 123`, `oom-kill:...,pid=123,uid=33`.
    auto pid = number_behind(message, "process ");
    if (!pid) pid = number_behind(message, ",pid=");
    into.pid = pid.value_or(-1);
}

/// `[12345.678901] text`, `[Wed Nov  1 10:00:00 2026] text`, `2026-11-01T10:00:00,123456+00:00
/// text`
bool read_kernel_line(std::string_view line, const EventContext& context, EventView& into) {
    std::string_view rest = line;
    into.severity = take_priority(rest);
    if (!take_iso_time(rest, context, into) && !take_bracketed_time(rest, context, into)) {
        return false;
    }
    into.message = rest;
    read_kernel_message(into);
    return true;
}

}  // namespace edgecase::logs
