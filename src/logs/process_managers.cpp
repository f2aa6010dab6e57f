#include <algorithm>
#include <cstddef>
#include <span>
#include <string>

#include "base/ascii.hpp"
#include "logs/event_lines.hpp"
#include "logs/event_text.hpp"
#include "logs/log_time.hpp"

namespace edgecase::logs {
namespace {

constexpr size_t kMaximumUnitBytes = 512;

constexpr Phrase kSystemd[] = {
    {"rocess exited, code=", EventKind::worker_exited},  // Main process, Control process
    {"Killing process ... with signal", EventKind::worker_exited},
    {"dumped core", EventKind::worker_exited},
    {"killed by the OOM killer", EventKind::out_of_memory},
    {"Failed with result 'oom-kill'", EventKind::out_of_memory},
    {"Scheduled restart job", EventKind::restarted},
    {"Deactivated successfully", EventKind::restarted},
    {"Start request repeated too quickly", EventKind::restarted},
};
constexpr std::string_view kSystemdVerbs[] = {"Started ",  "Starting ",  "Stopped ",   "Stopping ",
                                              "Reloaded ", "Reloading ", "Restarting "};

// What serves, by a part of its unit's name or of its description.
constexpr std::string_view kServers[] = {
    "nginx",   "openresty",  "apache",    "httpd",      "http server", "web server", "caddy",
    "haproxy", "traefik",    "envoy",     "varnish",    "lighttpd",    "litespeed",  "php",
    "fastcgi", "node",       "pm2",       "gunicorn",   "uvicorn",     "hypercorn",  "uwsgi",
    "puma",    "unicorn",    "passenger", "tomcat",     "jetty",       "wildfly",    "kestrel",
    "dotnet",  "rails",      "django",    "flask",      "express",     "supervisor", "docker",
    "podman",  "containerd", "kubelet",   "cloudflared"};
// Units that come and go on every machine.
constexpr std::string_view kHousekeeping[] = {"clean php session",
                                              "phpsessionclean",
                                              "session-",
                                              "user@",
                                              "user-runtime",
                                              "systemd-",
                                              "logrotate",
                                              "apt-",
                                              "certbot",
                                              "cron",
                                              "anacron",
                                              "man-db",
                                              "fstrim",
                                              "dpkg-",
                                              "motd-",
                                              "fwupd",
                                              "packagekit",
                                              "snapd",
                                              "sysstat",
                                              "e2scrub",
                                              "update-",
                                              "unattended",
                                              "dbus",
                                              "polkit",
                                              "rsyslog",
                                              "ssh",
                                              "getty",
                                              "tmpfiles",
                                              "ntp",
                                              "chrony",
                                              "letsencrypt",
                                              "backup",
                                              "mdadm",
                                              "phpmyadmin",
                                              "mandb"};

constexpr Phrase kPm2[] = {
    {"exited with code", EventKind::worker_exited},
    {"starting in", EventKind::restarted},
    {"] online", EventKind::restarted},
    {"Stopping app:", EventKind::restarted},
    {"msg=process killed", EventKind::restarted},
    {"PM2 successfully stopped", EventKind::restarted},
    {"New PM2 Daemon started", EventKind::restarted},
};

constexpr Phrase kSupervisor[] = {
    {"exited: ", EventKind::worker_exited},
    {"spawned: ", EventKind::restarted},
    {"stopped: ", EventKind::restarted},
    {"entered RUNNING state", EventKind::restarted},
    {"entered FATAL state", EventKind::restarted},
    {"indicating exit request", EventKind::restarted},
    {"waiting for ", EventKind::restarted},
    {"supervisord started", EventKind::restarted},
};

constexpr Phrase kGunicorn[] = {
    {"WORKER TIMEOUT", EventKind::script_timeout},
    {"was sent SIG", EventKind::worker_exited},
    {"was sent code", EventKind::worker_exited},
    {"exited with code", EventKind::worker_exited},
    {"was terminated due to signal", EventKind::worker_exited},
    {"Worker failed to boot", EventKind::worker_exited},
    {"Error handling request", EventKind::script_failed},
    {"Exception in worker process", EventKind::script_failed},
    {"Invalid request from ip=", EventKind::bad_request},
    {"Ignored premature client disconnection", EventKind::client_closed},
    {"Ignoring EPIPE", EventKind::client_closed},
    {"Ignoring connection reset", EventKind::client_closed},
    {"Booting worker with pid", EventKind::restarted},
    {"Worker exiting", EventKind::restarted},
    {"Starting gunicorn", EventKind::restarted},
    {"Listening at", EventKind::restarted},
    {"Handling signal: ", EventKind::restarted},
    {"Shutting down: Master", EventKind::restarted},
};

void set_exit_code(EventView& into, std::optional<int64_t> code) {
    constexpr int64_t kLargest = 255;
    if (code && *code <= kLargest) into.exit_code = static_cast<int>(*code);
}

bool holds_any(std::string_view text, std::span<const std::string_view> parts) {
    const std::string lower = base::to_lower(text.substr(0, kMaximumUnitBytes));
    return std::ranges::any_of(parts, [&](std::string_view part) { return lower.contains(part); });
}

/// Whether the unit that systemd speaks of serves, as far as its name tells. One that is stopped,
/// or started again by itself, runs for long: it may.
bool is_of_server(std::string_view message) {
    if (holds_any(message, kHousekeeping)) return false;
    if (holds_any(message, kServers)) return true;
    constexpr std::string_view kOfLongRuns[] = {"Stopping ", "Restarting ", "Reloading "};
    const bool is_stopped = std::ranges::any_of(
        kOfLongRuns, [&](std::string_view verb) { return message.starts_with(verb); });
    return (is_stopped && holds(message, ".service")) || holds(message, "Scheduled restart job");
}

std::string_view signal_word(std::string_view text) {
    return text.substr(0, text.find_first_of(" !,;.)]/"));
}

}  // namespace

void read_systemd_message(EventView& into) {
    into.system = "systemd";
    const std::string_view message = into.message;
    into.pid = -1;  // it is of systemd itself
    into.kind = kind_of(message, kSystemd);
    const bool is_verb = std::ranges::any_of(
        kSystemdVerbs, [&](std::string_view verb) { return message.starts_with(verb); });
    if (into.kind == EventKind::other && is_verb) into.kind = EventKind::restarted;
    // Timers and logins start and stop units all day.
    if (into.kind == EventKind::restarted && !is_of_server(message)) into.kind = EventKind::other;
    if (into.kind == EventKind::worker_exited && holds_any(message, kHousekeeping)) {
        into.kind = EventKind::other;
    }
    if (into.kind != EventKind::worker_exited) return;
    if (const auto status = behind(message, "status=")) {
        // `code=exited, status=1/FAILURE`; killed and dumped have a signal there.
        if (holds(message, "code=exited")) {
            set_exit_code(into, leading_number(*status));
        } else {
            into.signal = signal_number(*status);
        }
    }
    if (const auto pid = number_behind(message, "rocess ")) into.pid = *pid;
    if (const auto signal = behind(message, "with signal ")) {
        into.signal = signal_number(signal_word(*signal));
    }
}

void read_pm2_message(EventView& into) {
    into.system = "pm2";
    into.kind = kind_of(into.message, kPm2);
    if (into.kind != EventKind::worker_exited) return;
    set_exit_code(into, number_behind(into.message, "exited with code ["));
    const auto signal = behind(into.message, "via signal [");
    // pm2 writes code 0 for what ended by a signal, and SIGINT for what ended with a code.
    const int number = signal ? signal_number(signal_word(*signal)) : 0;
    if (into.exit_code == 0 && number > 0 && !signal->starts_with("SIGINT")) {
        into.signal = number;
        into.exit_code = -1;
    }
}

/// `2026-11-01T10:00:00: PM2 log: App [api:0] exited with code [1] via signal [SIGINT]`
bool read_pm2_line(std::string_view line, const EventContext& context, EventView& into) {
    constexpr std::string_view kName = ": PM2";
    const size_t at = line.find(kName);
    if (at == std::string_view::npos) return false;
    const std::string_view time_text = line.substr(0, at);
    const auto time = iso_time(time_text, context.zone_us);
    if (!time) return false;
    into.time = *time;
    into.resolution_us = resolution_of(time_text);
    std::string_view rest = line.substr(at + kName.size());
    while (rest.starts_with(' ')) rest.remove_prefix(1);
    for (const std::string_view level : {"log", "error"}) {
        if (!rest.starts_with(level) || !rest.substr(level.size()).starts_with(": ")) continue;
        into.severity = level;
        rest.remove_prefix(level.size() + 2);
        break;
    }
    into.message = rest;
    read_pm2_message(into);
    return true;
}

void read_supervisor_message(EventView& into) {
    into.system = "supervisor";
    const std::string_view message = into.message;
    into.kind = kind_of(message, kSupervisor);
    if (const auto pid = number_behind(message, "with pid ")) into.pid = *pid;
    if (into.kind != EventKind::worker_exited) return;
    set_exit_code(into, number_behind(message, "(exit status "));
    if (const auto signal = behind(message, "(terminated by ")) {
        into.signal = signal_number(signal_word(*signal));
    }
}

/// `2026-11-01 10:00:00,123 INFO exited: web (exit status 1; not expected)`
bool read_supervisor_line(std::string_view line, const EventContext& context, EventView& into) {
    constexpr std::string_view kTimeSample = "2026-11-01 10:00:00,123";
    constexpr std::string_view kLevels[] = {"CRIT", "ERRO", "WARN", "INFO", "DEBG", "TRAC", "BLAT"};
    if (line.size() < kTimeSample.size() + 2 || line[19] != ',') return false;
    const auto time = iso_time(line.substr(0, kTimeSample.size()), context.zone_us);
    std::string_view rest = line.substr(kTimeSample.size());
    if (!time || !rest.starts_with(' ')) return false;
    rest.remove_prefix(1);
    const std::string_view level = up_to(rest, " ");
    if (std::ranges::find(kLevels, level) == std::end(kLevels)) return false;
    into.time = *time;
    into.resolution_us = 1000;
    into.severity = level;
    into.message = rest.substr(std::min(rest.size(), level.size() + 1));
    read_supervisor_message(into);
    return true;
}

void read_gunicorn_message(EventView& into) {
    into.system = "gunicorn";
    const std::string_view message = into.message;
    into.kind = kind_of(message, kGunicorn);
    if (into.kind == EventKind::other) into.kind = kind_of_script(message);
    for (const std::string_view words : {"(pid:", "(pid: ", "with pid: "}) {
        if (const auto pid = number_behind(message, words)) into.pid = *pid;
    }
    if (const auto uri = behind(message, "Error handling request ")) into.uri = *uri;
    if (const auto client = behind(message, "Invalid request from ip=")) {
        into.client = up_to(*client, ": ");
    }
    if (into.kind != EventKind::worker_exited) return;
    set_exit_code(into, number_behind(message, " code "));
    for (const std::string_view words : {"was sent ", "due to signal "}) {
        if (const auto signal = behind(message, words)) {
            into.signal = signal_number(signal_word(*signal));
        }
    }
}

/// `[2026-11-01 10:00:00 +0000] [123] [CRITICAL] WORKER TIMEOUT (pid:123)`
bool read_gunicorn_error_line(std::string_view line, const EventContext& context, EventView& into) {
    constexpr size_t kTimeBytes = std::string_view("2026-11-01 10:00:00").size();
    std::string_view rest = line;
    const auto time_text = take_bracketed(rest);
    if (!time_text || time_text->size() < kTimeBytes) return false;
    int64_t zone_us = context.zone_us;
    if (time_text->size() > kTimeBytes) {
        const auto zone = zone_offset(time_text->substr(kTimeBytes + 1));
        if (!zone) return false;
        zone_us = *zone;
    }
    const auto time = iso_time(time_text->substr(0, kTimeBytes), zone_us);
    const auto pid = take_bracketed(rest);
    const auto severity = take_bracketed(rest);
    if (!time || !pid || !leading_number(*pid) || !severity) return false;
    into.time = *time;
    into.pid = *leading_number(*pid);
    into.severity = *severity;
    into.message = rest;
    read_gunicorn_message(into);
    return true;
}

}  // namespace edgecase::logs
