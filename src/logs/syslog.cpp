#include <cstddef>

#include "logs/event_lines.hpp"
#include "logs/event_text.hpp"
#include "logs/log_time.hpp"

namespace edgecase::logs {
namespace {

/// `<34>`, and the `1 ` of RFC 5424. Whether it is of RFC 5424.
bool take_priority(std::string_view& rest, EventView& into) {
    if (!rest.starts_with('<')) return false;
    const auto number = leading_number(rest.substr(1));
    const auto after = behind(rest, ">");
    if (!number || !after) return false;
    into.severity = syslog_severity(*number % 8);
    rest = *after;
    if (!rest.starts_with("1 ")) return false;
    rest.remove_prefix(2);
    return true;
}

std::string_view take_word(std::string_view& rest) {
    const std::string_view word = up_to(rest, " ");
    rest.remove_prefix(word.size() < rest.size() ? word.size() + 1 : rest.size());
    return word;
}

/// `Nov  1 10:00:00 ` or `2026-11-01T10:00:00.123456+01:00 `.
bool take_time(std::string_view& rest, const EventContext& context, EventView& into) {
    constexpr size_t kShortBytes = std::string_view("Nov  1 10:00:00").size();
    if (rest.size() > kShortBytes && rest[kShortBytes] == ' ') {
        const auto time = syslog_time(rest.substr(0, kShortBytes), context.near, context.zone_us);
        if (time) {
            into.time = *time;
            rest.remove_prefix(kShortBytes + 1);
            return true;
        }
    }
    const std::string_view text = up_to(rest, " ");
    if (text.size() < 19 || text[10] != 'T' || text.find(',') != std::string_view::npos) {
        return false;
    }
    const auto time = iso_time(text, context.zone_us);
    if (!time) return false;
    into.time = *time;
    into.resolution_us = resolution_of(text);
    take_word(rest);
    return true;
}

/// `ident[123]: `, `ident: `. Without one, `rest` stays as it is.
std::string_view take_tag(std::string_view& rest, EventView& into) {
    const size_t end = rest.find_first_of(" [:");
    if (end == std::string_view::npos || end == 0 || rest[end] == ' ') return {};
    std::string_view after = rest.substr(end);
    int64_t pid = -1;
    if (after[0] == '[') {
        const auto inside = take_bracketed(after);
        if (!inside) return {};
        pid = leading_number(*inside).value_or(-1);
    }
    if (!after.starts_with(':')) return {};
    const std::string_view tag = rest.substr(0, end);
    rest = after.substr(after.starts_with(": ") ? 2 : 1);
    into.pid = pid;
    return tag;
}

/// RFC 5424: `host app 123 id [data] message`; `-` for what is not there.
std::string_view take_new_tag(std::string_view& rest, EventView& into) {
    const std::string_view tag = take_word(rest);
    into.pid = leading_number(take_word(rest)).value_or(-1);
    take_word(rest);
    if (rest.starts_with('[')) {
        if (const auto after = behind(rest, "] ")) rest = *after;
    } else {
        take_word(rest);
    }
    return tag == "-" ? std::string_view{} : tag;
}

}  // namespace

bool read_syslog_line(std::string_view line, const EventContext& context, EventView& into) {
    std::string_view rest = line;
    const bool is_new = take_priority(rest, into);
    if (!take_time(rest, context, into)) return false;
    if (take_word(rest).empty() || rest.empty()) return false;  // the host's name
    const std::string_view identifier = is_new ? take_new_tag(rest, into) : take_tag(rest, into);
    into.message = rest;
    read_message_of(identifier, context, into);
    return true;
}

}  // namespace edgecase::logs
