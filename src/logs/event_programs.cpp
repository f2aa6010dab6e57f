#include <algorithm>
#include <array>

#include "logs/event_lines.hpp"
#include "logs/event_text.hpp"

namespace edgecase::logs {
namespace {

struct Program {
    std::string_view identifier;  // what it begins with: `php-fpm8.2`
    void (*read_message)(EventView& into);
    ReadLine read_line;  // for messages that have a time of their own; null: none has
};

constexpr std::array kPrograms = {
    Program{"kernel", read_kernel_message, nullptr},
    Program{"systemd", read_systemd_message, nullptr},
    Program{"nginx", read_nginx_message, read_nginx_error_line},
    Program{"apache", read_apache_message, read_apache_error_line},
    Program{"httpd", read_apache_message, read_apache_error_line},
    Program{"php-fpm", read_php_fpm_message, read_php_fpm_line},
    Program{"php", read_php_message, read_php_line},
    Program{"gunicorn", read_gunicorn_message, read_gunicorn_error_line},
    Program{"supervisor", read_supervisor_message, read_supervisor_line},
    Program{"pm2", read_pm2_message, read_pm2_line},
    Program{"PM2", read_pm2_message, read_pm2_line},
    Program{"caddy", read_go_message, nullptr},
    Program{"traefik", read_go_message, nullptr},
    Program{"cloudflared", read_go_message, nullptr},
};

/// The line that the program would have written to its own log, with the time of whoever kept it.
bool read_nested(ReadLine read, const EventContext& context, EventView& into) {
    EventView nested;
    nested.pid = into.pid;
    if (!read(into.message, context, nested)) return false;
    nested.time = into.time;
    nested.resolution_us = into.resolution_us;
    if (nested.pid < 0) nested.pid = into.pid;
    if (nested.severity.empty()) nested.severity = into.severity;
    into = nested;
    return true;
}

/// `[12345.678901] ` before what the kernel says, where syslog kept it.
void drop_kernel_time(EventView& into) {
    std::string_view rest = into.message;
    const auto inside = take_bracketed(rest);
    if (!inside || inside->empty()) return;
    if (inside->find_first_not_of(" .0123456789") == std::string_view::npos) into.message = rest;
}

/// `Error: boom`, `TypeError [ERR_X]: boom`: what a stack trace begins with.
bool is_error_line(std::string_view message) {
    const size_t end = message.find_first_of(": ");
    if (end == std::string_view::npos || !message.substr(0, end).ends_with("Error")) return false;
    const bool is_name = std::ranges::all_of(message.substr(0, end), [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '.';
    });
    return is_name && (message[end] == ':' || message.substr(end).starts_with(" ["));
}

/// What a runtime prints when a program ends by an error that nobody caught.
EventKind kind_of_trace(std::string_view message) {
    constexpr std::string_view kEnds[] = {"Node.js v", "panic: ", "fatal error: "};
    constexpr std::string_view kErrors[] = {"Traceback (most recent call last)",
                                            "Exception in thread ", "http: panic serving"};
    const auto begins = [&](std::string_view words) { return message.starts_with(words); };
    if (std::ranges::any_of(kEnds, begins)) return EventKind::worker_exited;
    if (holds(message, "throw er; // Unhandled 'error' event")) return EventKind::worker_exited;
    if (std::ranges::any_of(kErrors, begins)) return EventKind::script_failed;
    return is_error_line(message) ? EventKind::script_failed : EventKind::other;
}

bool is_certain(const Program& program) {
    // PHP's own lines have nothing but a time before words of any kind.
    return program.read_line != nullptr && program.read_line != read_php_line;
}

/// Under a name that says nothing: a container, a start script, python.
void read_unknown(const EventContext& context, EventView& into) {
    const char first = into.message.empty() ? ' ' : into.message.front();
    if (first == '[' || (first >= '0' && first <= '9')) {
        for (const Program& program : kPrograms) {
            if (is_certain(program) && read_nested(program.read_line, context, into)) return;
        }
    }
    read_program_message(into);
}

}  // namespace

bool read_any_line(std::string_view line, const EventContext& context, EventView& into) {
    return std::ranges::any_of(kPrograms, [&](const Program& program) {
        if (!is_certain(program)) return false;
        into = {};
        return program.read_line(line, context, into);
    });
}

void read_go_message(EventView& into) {
    read_program_message(into);
    if (into.kind == EventKind::other) into.kind = kind_of_go(into.message);
}

void read_program_message(EventView& into) {
    into.kind = kind_of_script(into.message);
    if (into.kind == EventKind::other) into.kind = kind_of_trace(into.message);
    set_script_of_php(into.message, into);
}

void read_message_of(std::string_view identifier, const EventContext& context, EventView& into) {
    const auto program = std::ranges::find_if(
        kPrograms, [&](const Program& each) { return identifier.starts_with(each.identifier); });
    if (program == kPrograms.end()) {
        into.system = identifier;
        read_unknown(context, into);
        return;
    }
    if (program->read_line != nullptr && read_nested(program->read_line, context, into)) return;
    if (program->read_message == read_go_message) into.system = program->identifier;
    if (program->read_message == read_kernel_message) drop_kernel_time(into);
    program->read_message(into);
}

}  // namespace edgecase::logs
