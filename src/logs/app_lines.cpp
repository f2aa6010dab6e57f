#include <algorithm>
#include <cstddef>

#include "base/ascii.hpp"
#include "logs/event_lines.hpp"
#include "logs/event_text.hpp"
#include "logs/log_time.hpp"

namespace edgecase::logs {
namespace {

constexpr Phrase kGo[] = {
    {"connection refused", EventKind::upstream_refused},
    {"no route to host", EventKind::upstream_refused},
    {"no such host", EventKind::upstream_refused},
    {"no upstreams available", EventKind::upstream_refused},
    {"x509: ", EventKind::upstream_refused},
    {"http: TLS handshake error", EventKind::tls_failed},
    {"malformed HTTP", EventKind::upstream_bad},
    {"malformed MIME", EventKind::upstream_bad},
    {"timeout awaiting response headers", EventKind::upstream_timeout},
    {"i/o timeout", EventKind::upstream_timeout},
    {"context canceled", EventKind::client_closed},
    {"aborting with incomplete response", EventKind::upstream_closed},
    {"reading from backend", EventKind::upstream_closed},
    {"read: connection reset by peer", EventKind::upstream_closed},
    {"server closed idle connection", EventKind::upstream_closed},
    {"unexpected EOF", EventKind::upstream_closed},
    {"transport connection broken", EventKind::upstream_closed},
    {"shutting down apps, then terminating", EventKind::restarted},
    {"serving initial configuration", EventKind::restarted},
};

constexpr std::string_view kLevels[] = {"FATAL", "CRITICAL", "ERROR", "ERR",   "WARNING",
                                        "WARN",  "INFO",     "DEBUG", "TRACE", "NOTICE"};

/// `0|app  | `, `web-1  | `: what PM2 and Compose put before the lines of each of their programs.
std::string_view take_mark(std::string_view& rest) {
    constexpr size_t kLongestMark = 64;
    const size_t bar = rest.substr(0, kLongestMark).rfind("| ");
    if (bar == std::string_view::npos || bar == 0) return {};
    std::string_view name = base::trim(rest.substr(0, bar));
    const bool is_name = std::ranges::all_of(name, [](char c) {
        return (c >= '0' && c <= '9') || (base::lower(c) >= 'a' && base::lower(c) <= 'z') ||
               c == '-' || c == '_' || c == '.' || c == '|';
    });
    if (!is_name) return {};
    rest.remove_prefix(bar + 2);
    return name.substr(name.find('|') == std::string_view::npos ? 0 : name.find('|') + 1);
}

/// `2026-11-28T18:13:36.123Z`, `[2026-11-28 18:13:36]`, `2026-11-28 18:13:36 +00:00`. Sets the
/// time.
bool take_time(std::string_view& rest, const EventContext& context, EventView& into) {
    constexpr size_t kSecondBytes = std::string_view("2026-11-28T18:13:36").size();
    std::string_view text = rest;
    if (text.starts_with('[')) text.remove_prefix(1);
    if (text.size() <= kSecondBytes || text[4] != '-') return false;
    size_t end = kSecondBytes;
    const auto is_part = [](char c) {
        return (c >= '0' && c <= '9') || c == '.' || c == ',' || c == '+' || c == 'Z';
    };
    // A colon stands in a zone, and behind the time.
    while (end < text.size() && (is_part(text[end]) ||
                                 (text[end] == '-' && end + 1 < text.size() &&
                                  text[end + 1] >= '0' && text[end + 1] <= '9') ||
                                 (text[end] == ':' && end + 1 < text.size() &&
                                  text[end + 1] >= '0' && text[end + 1] <= '9'))) {
        ++end;
    }
    std::string_view time_text = text.substr(0, end);
    std::string_view after = text.substr(end);
    int64_t zone_us = context.zone_us;
    if (after.size() > 6 && after[0] == ' ' && (after[1] == '+' || after[1] == '-')) {
        const std::string_view zone = after.substr(1, after.substr(1).find_first_of(" ]:", 4));
        if (const auto offset = zone_offset(zone)) {
            zone_us = *offset;
            after.remove_prefix(1 + zone.size());
        }
    }
    const auto time = iso_time(time_text, zone_us);
    if (!time) return false;
    into.time = *time;
    into.resolution_us = resolution_of(time_text);
    after.remove_prefix(std::min(after.find_first_not_of("]:"), after.size()));
    if (after.starts_with(' ')) after.remove_prefix(1);
    rest = after;
    return true;
}

/// `ERROR: `, `[ERROR] `, `ERROR `.
void take_level(std::string_view& rest, EventView& into) {
    std::string_view text = rest;
    const bool is_bracketed = text.starts_with('[');
    if (is_bracketed) text.remove_prefix(1);
    for (const std::string_view level : kLevels) {
        if (text.size() <= level.size() || !base::iequals(text.substr(0, level.size()), level)) {
            continue;
        }
        const char next = text[level.size()];
        if (next != (is_bracketed ? ']' : ' ') && next != ':') continue;
        // `Error: boom` is no level but what a stack trace begins with.
        if (!is_bracketed && text[1] >= 'a') continue;
        into.severity = text.substr(0, level.size());
        rest = text.substr(level.size());
        rest.remove_prefix(std::min(rest.find_first_not_of(" :]"), rest.size()));
        return;
    }
}

}  // namespace

EventKind kind_of_go(std::string_view text) {
    if (text == "EOF") return EventKind::upstream_closed;
    return kind_of(text, kGo);
}

bool read_app_line(std::string_view line, const EventContext& context, EventView& into) {
    std::string_view rest = line;
    const std::string_view name = take_mark(rest);
    if (!take_time(rest, context, into)) {
        return !name.empty() && read_any_line(rest, context, into);
    }
    // The container runtime's mark: `stderr F `.
    for (const std::string_view mark : {"stdout F ", "stderr F ", "stdout P ", "stderr P "}) {
        if (rest.starts_with(mark)) rest.remove_prefix(mark.size());
    }
    take_level(rest, into);
    into.message = rest;
    if (rest.empty() || rest.front() == ' ' || rest.front() == '\t') {
        into.system = "app";
        return true;
    }
    read_message_of(name.empty() ? std::string_view("app") : name, context, into);
    return true;
}

}  // namespace edgecase::logs
