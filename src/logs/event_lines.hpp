// Owns the list of event formats, each as the function that reads its lines or its messages.
#pragma once

#include <memory>
#include <string_view>

#include "logs/event_formats.hpp"

namespace edgecase::logs {

/// Reads a line into a fresh event, all but the Ray ID. False: it is not of that format.
using ReadLine = bool (*)(std::string_view line, const EventContext& context, EventView& into);

bool read_nginx_error_line(std::string_view line, const EventContext& context, EventView& into);
bool read_apache_error_line(std::string_view line, const EventContext& context, EventView& into);
bool read_php_fpm_line(std::string_view line, const EventContext& context, EventView& into);
bool read_php_line(std::string_view line, const EventContext& context, EventView& into);
bool read_kernel_line(std::string_view line, const EventContext& context, EventView& into);
bool read_syslog_line(std::string_view line, const EventContext& context, EventView& into);
bool read_pm2_line(std::string_view line, const EventContext& context, EventView& into);
bool read_supervisor_line(std::string_view line, const EventContext& context, EventView& into);
bool read_gunicorn_error_line(std::string_view line, const EventContext& context, EventView& into);

/// Of any program: a time, then its words; PM2's and containers' marks before it.
bool read_app_line(std::string_view line, const EventContext& context, EventView& into);

/// A line that some program wrote to its own log, with its own time.
bool read_any_line(std::string_view line, const EventContext& context, EventView& into);

/// Lines of JSON that say more than an access log: Caddy, pino, winston, Docker's json-file.
std::unique_ptr<EventReader> make_json_event_reader(const EventContext& context);

/// journalctl -o json. It keeps messages that do not stand in the line as they are.
std::unique_ptr<EventReader> make_journal_reader(const EventContext& context);

/// Each finds out what `into.message` is about.
void read_nginx_message(EventView& into);
void read_apache_message(EventView& into);
void read_php_fpm_message(EventView& into);
void read_php_message(EventView& into);
void read_kernel_message(EventView& into);
void read_systemd_message(EventView& into);
void read_pm2_message(EventView& into);
void read_supervisor_message(EventView& into);
void read_gunicorn_message(EventView& into);
void read_go_message(EventView& into);       // of Caddy, Traefik and their like
void read_program_message(EventView& into);  // of any other program

/// What programs in Go say of whom they proxy to, and when they come and go: Caddy, Traefik.
EventKind kind_of_go(std::string_view text);

/// `into.message` as the program wrote it to a journal or syslog: with or without a time of its
/// own. Sets the system by the program's identifier.
void read_message_of(std::string_view identifier, const EventContext& context, EventView& into);

/// What a script's own words say: a fatal error, an uncaught exception, its time limit.
EventKind kind_of_script(std::string_view text);

/// The file that PHP's words name: `in /srv/www/a.php on line 1`, `in /srv/www/a.php:1`.
void set_script_of_php(std::string_view text, EventView& into);

/// syslog's severities: `emerg` is 0. Empty: no such number.
std::string_view syslog_severity(int64_t number);

}  // namespace edgecase::logs
