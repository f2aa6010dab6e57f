#include <cstddef>
#include <limits>

#include "logs/event_lines.hpp"
#include "logs/event_text.hpp"
#include "logs/log_time.hpp"

namespace edgecase::logs {
namespace {

constexpr Phrase kScript[] = {
    {"Maximum execution time of", EventKind::script_timeout},
    {"PHP Fatal error", EventKind::script_failed},
    {"PHP Parse error", EventKind::script_failed},
    {"PHP Recoverable fatal error", EventKind::script_failed},
    {"PHP Catchable fatal error", EventKind::script_failed},
    {"PHP Core error", EventKind::script_failed},
    {"PHP Compile error", EventKind::script_failed},
    {"Allowed memory size of", EventKind::script_failed},
    {"Uncaught ", EventKind::script_failed},
    {"uncaughtException", EventKind::script_failed},
    {"UnhandledPromiseRejection", EventKind::script_failed},
    {"JavaScript heap out of memory", EventKind::script_failed},
};

constexpr Phrase kProcessManager[] = {
    {"execution timed out", EventKind::script_timeout},
    {"exited on signal", EventKind::worker_exited},
    {"exited with code", EventKind::worker_exited},
    {"reached pm.max_children", EventKind::workers_exhausted},
    {"reached max_children", EventKind::workers_exhausted},
    {"fork() failed", EventKind::workers_exhausted},
    {"ready to handle connections", EventKind::restarted},
    {"fpm is running", EventKind::restarted},
    {"Terminating ...", EventKind::restarted},
    {"Finishing ...", EventKind::restarted},
    {"exiting, bye-bye!", EventKind::restarted},
    {"Reloading in progress", EventKind::restarted},
    {"reloading: execvp", EventKind::restarted},
    {"using inherited socket", EventKind::restarted},
};

constexpr std::string_view kLevels[] = {"ALERT", "ERROR", "WARNING", "NOTICE", "DEBUG"};

/// `[01-Nov-2026 10:00:00 UTC] ...`. Sets the event's time.
bool take_time(std::string_view line, const EventContext& context, EventView& into,
               std::string_view& rest) {
    rest = line;
    const auto text = take_bracketed(rest);
    if (!text) return false;
    const auto time = dash_time(*text, context.zone_us);
    if (!time) return false;
    into.time = *time;
    into.resolution_us = resolution_of(*text);
    return true;
}

/// `WARNING: `. Empty: none.
std::string_view take_level(std::string_view& rest) {
    for (const std::string_view level : kLevels) {
        if (!rest.starts_with(level) || !rest.substr(level.size()).starts_with(": ")) continue;
        rest.remove_prefix(level.size() + 2);
        return level;
    }
    return {};
}

}  // namespace

EventKind kind_of_script(std::string_view text) {
    return kind_of(text, kScript);
}

void set_script_of_php(std::string_view text, EventView& into) {
    constexpr std::string_view kIn = " in /";
    const size_t in = text.rfind(kIn, text.find(" on line "));
    if (in == std::string_view::npos) return;
    const std::string_view path = text.substr(in + kIn.size() - 1);
    into.script = path.substr(0, path.find_first_of(": \""));
}

void read_php_fpm_message(EventView& into) {
    into.system = "php-fpm";
    const std::string_view message = into.message;
    if (const auto child = number_behind(message, "child ")) into.pid = *child;
    if (const auto request = behind(message, "(request: \"")) {
        set_request(into, up_to(*request, "\")"));
    }
    if (holds(message, "said into std") || holds(message, "PHP message: ")) {
        into.kind = kind_of_script(message);
        set_script_of_php(message, into);
        return;
    }
    if (const auto script = behind(message, ", script '")) into.script = up_to(*script, "'");
    // The script's name and the request stand in the middle; only what is around them counts.
    const std::string_view before = up_to(message, ", script '");
    const auto after = behind(message, "\") ");
    into.kind = kind_of(before.size() < message.size() && after ? *after : before, kProcessManager);
    if (into.kind != EventKind::worker_exited) return;
    if (const auto signal = behind(before, "on signal ")) into.signal = signal_number(*signal);
    if (const auto code = number_behind(before, "with code ")) {
        if (*code <= std::numeric_limits<int>::max()) into.exit_code = static_cast<int>(*code);
    }
}

/// `[01-Nov-2026 10:00:00] WARNING: [pool www] child 123, script '/x.php' ...`
bool read_php_fpm_line(std::string_view line, const EventContext& context, EventView& into) {
    std::string_view rest;
    if (!take_time(line, context, into, rest)) return false;
    into.severity = take_level(rest);
    if (into.severity.empty()) return false;
    into.message = rest;
    read_php_fpm_message(into);
    return true;
}

void read_php_message(EventView& into) {
    constexpr std::string_view kPrefix = "PHP ";
    constexpr size_t kLongestLevel = 32;
    into.system = "php";
    into.kind = kind_of_script(into.message);
    set_script_of_php(into.message, into);
    if (!into.message.starts_with(kPrefix)) return;
    const size_t colon = into.message.substr(0, kLongestLevel).find(": ");
    if (colon == std::string_view::npos) return;
    into.severity = into.message.substr(kPrefix.size(), colon - kPrefix.size());
    into.message.remove_prefix(colon + 2);
    while (into.message.starts_with(' ')) into.message.remove_prefix(1);
}

/// `[01-Nov-2026 10:00:00 UTC] PHP Fatal error:  ...`, or what a script gave error_log().
bool read_php_line(std::string_view line, const EventContext& context, EventView& into) {
    std::string_view rest;
    if (!take_time(line, context, into, rest)) return false;
    into.message = rest;
    read_php_message(into);
    return true;
}

}  // namespace edgecase::logs
