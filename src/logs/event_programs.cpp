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

/// Under a name that says nothing: a container, a start script, python.
void read_unknown(const EventContext& context, EventView& into) {
    const char first = into.message.empty() ? ' ' : into.message.front();
    if (first == '[' || (first >= '0' && first <= '9')) {
        for (const Program& program : kPrograms) {
            // PHP's own lines have nothing but a time before words of any kind.
            if (program.read_line == nullptr || program.read_line == read_php_line) continue;
            if (read_nested(program.read_line, context, into)) return;
        }
    }
    read_program_message(into);
}

}  // namespace

void read_program_message(EventView& into) {
    into.kind = kind_of_script(into.message);
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
    if (program->read_message == read_kernel_message) drop_kernel_time(into);
    program->read_message(into);
}

}  // namespace edgecase::logs
