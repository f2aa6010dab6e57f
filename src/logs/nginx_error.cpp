#include <cstddef>

#include "logs/event_lines.hpp"
#include "logs/event_text.hpp"
#include "logs/log_time.hpp"

namespace edgecase::logs {
namespace {

constexpr std::string_view kTimeSample = "2026/11/01 10:00:00";

// In this order: what names the upstream goes before what may be about either side.
constexpr Phrase kPhrases[] = {
    {"upstream timed out", EventKind::upstream_timeout},
    {"connect() failed (110", EventKind::upstream_timeout},
    {"connect() failed", EventKind::upstream_refused},
    {"connect() to ... failed", EventKind::upstream_refused},
    {"no live upstreams", EventKind::upstream_refused},
    {"while SSL handshaking to upstream", EventKind::upstream_refused},
    {"client prematurely closed", EventKind::client_closed},
    {"upstream prematurely closed", EventKind::upstream_closed},
    {"upstream sent ", EventKind::upstream_bad},
    {"upstream rejected request", EventKind::upstream_bad},
    {"upstream violated", EventKind::upstream_bad},
    {"upstream SSL certificate", EventKind::upstream_refused},
    {"failed (104 ... upstream", EventKind::upstream_closed},
    {"failed (32 ... upstream", EventKind::upstream_closed},
    {"exited on signal", EventKind::worker_exited},
    {"exited with code", EventKind::worker_exited},
    {"exited with fatal code", EventKind::worker_exited},
    {"worker_connections are not enough", EventKind::workers_exhausted},
    {"(24: Too many open files)", EventKind::workers_exhausted},
    {"SSL_do_handshake() failed", EventKind::tls_failed},
    {"while SSL handshaking", EventKind::tls_failed},
    {"client SSL certificate verify error", EventKind::tls_failed},
    {"client sent no required SSL certificate", EventKind::tls_failed},
    {"client timed out", EventKind::client_closed},
    {"client ... closed", EventKind::client_closed},
    {"(104: Connection reset by peer)", EventKind::client_closed},
    {"(32: Broken pipe)", EventKind::client_closed},
    {"client intended to send too large", EventKind::bad_request},
    {"client sent", EventKind::bad_request},
    {"signal process started", EventKind::restarted},
    {"shutting down", EventKind::restarted},
    {"start worker process", EventKind::restarted},
    {"reconfiguring", EventKind::restarted},
    {"(SIGTERM) received", EventKind::restarted},
    {"(SIGQUIT) received", EventKind::restarted},
    {"(SIGHUP) received", EventKind::restarted},
};

std::string_view quoted(std::string_view text) {
    const size_t inner = text.find("\", ");
    if (inner != std::string_view::npos) return text.substr(0, inner);
    return text.ends_with('"') ? text.substr(0, text.size() - 1) : text;
}

/// `, client: 192.0.2.1, server: x, request: "GET / HTTP/1.1", upstream: "...", host: "h"`.
void read_tail(std::string_view tail, EventView& into) {
    if (const auto client = behind(tail, "client: ")) into.client = up_to(*client, ", ");
    if (const auto request = behind(tail, ", request: \"")) set_request(into, quoted(*request));
    if (const auto host = behind(tail, ", host: \"")) into.host = up_to(*host, "\"");
}

}  // namespace

void read_nginx_message(EventView& into) {
    into.system = "nginx";
    // What clients send stands behind the words of nginx and shall not be taken for them.
    const std::string_view words = up_to(into.message, ", client: ");
    if (words.size() < into.message.size()) read_tail(into.message.substr(words.size() + 2), into);
    if (words.find("FastCGI sent in stderr") != std::string_view::npos) {
        into.kind = kind_of_script(words);
        set_script_of_php(words, into);
        return;
    }
    into.kind = kind_of(words, kPhrases);
    if (words == "exiting" || words == "exit") into.kind = EventKind::restarted;
    if (into.kind != EventKind::worker_exited) return;
    if (const auto pid = number_behind(words, "process ")) into.pid = *pid;
    if (const auto signal = behind(words, "on signal ")) into.signal = signal_number(*signal);
    if (const auto code = number_behind(words, " code ")) into.exit_code = static_cast<int>(*code);
}

/// `2026/11/01 10:00:00 [error] 12#12: *1 message, client: ...`
bool read_nginx_error_line(std::string_view line, const EventContext& context, EventView& into) {
    if (line.size() < kTimeSample.size() + 2 || line[kTimeSample.size()] != ' ') return false;
    const auto time = slash_time(line.substr(0, kTimeSample.size()), context.zone_us);
    if (!time) return false;
    std::string_view rest = line.substr(kTimeSample.size() + 1);
    const auto severity = take_bracketed(rest);
    if (!severity) return false;
    into.time = *time;
    into.severity = *severity;
    // `pid#thread: `, then `*connection ` if there is one.
    if (const auto pid = leading_number(rest)) {
        into.pid = *pid;
        if (const auto message = behind(rest, ": ")) rest = *message;
    }
    if (rest.starts_with('*')) {
        if (const auto message = behind(rest, " ")) rest = *message;
    }
    into.message = rest;
    read_nginx_message(into);
    return true;
}

}  // namespace edgecase::logs
