#include <algorithm>
#include <array>
#include <cstddef>

#include "logs/event_lines.hpp"
#include "logs/event_text.hpp"
#include "logs/log_time.hpp"

namespace edgecase::logs {
namespace {

struct Code {
    int64_t number;
    EventKind kind;
};

// By number. Source: the modules of httpd 2.4, where each stands in an APLOGNO().
constexpr std::array kCodes = {
    Code{45, EventKind::restarted},           // child process still did not exit
    Code{46, EventKind::restarted},           // the same, with SIGKILL
    Code{51, EventKind::worker_exited},       // exit signal, possible coredump
    Code{52, EventKind::worker_exited},       // exit signal
    Code{94, EventKind::restarted},           // Command line
    Code{126, EventKind::bad_request},        // Invalid URI in request
    Code{161, EventKind::workers_exhausted},  // prefork: reached MaxRequestWorkers
    Code{163, EventKind::restarted},          // prefork: configured -- resuming
    Code{169, EventKind::restarted},          // prefork: caught SIGTERM
    Code{170, EventKind::restarted},          // prefork: caught SIGWINCH
    Code{171, EventKind::restarted},          // prefork: graceful restart
    Code{173, EventKind::restarted},          // prefork: SIGHUP
    Code{286, EventKind::workers_exhausted},  // worker: reached MaxRequestWorkers
    Code{288, EventKind::workers_exhausted},  // worker: scoreboard is full
    Code{292, EventKind::restarted},          // worker: configured -- resuming
    Code{295, EventKind::restarted},          // worker: caught SIGTERM
    Code{296, EventKind::restarted},          // worker: caught SIGWINCH
    Code{297, EventKind::restarted},          // worker: graceful restart
    Code{298, EventKind::restarted},          // worker: SIGHUP
    Code{484, EventKind::workers_exhausted},  // event: reached MaxRequestWorkers
    Code{485, EventKind::workers_exhausted},  // event: scoreboard is full
    Code{489, EventKind::restarted},          // event: configured -- resuming
    Code{491, EventKind::restarted},          // event: caught SIGTERM
    Code{492, EventKind::restarted},          // event: caught SIGWINCH
    Code{493, EventKind::restarted},          // event: graceful restart
    Code{494, EventKind::restarted},          // event: SIGHUP
    Code{561, EventKind::bad_request},        // header exceeds LimitRequestFieldSize
    Code{562, EventKind::bad_request},        // header field is missing ':'
    Code{563, EventKind::bad_request},        // invalid characters in a header
    Code{564, EventKind::bad_request},        // number of headers exceeds the limit
    Code{565, EventKind::bad_request},        // URI too long
    Code{566, EventKind::bad_request},        // malformed request line
    Code{567, EventKind::bad_request},        // error reading the headers
    Code{878, EventKind::upstream_closed},    // AJP: read response failed
    Code{896, EventKind::upstream_refused},   // AJP: failed to make connection
    Code{898, EventKind::upstream_closed},    // Error reading from remote server
    Code{940, EventKind::upstream_refused},   // disabled connection for
    Code{957, EventKind::upstream_refused},   // attempt to connect failed
    Code{959, EventKind::upstream_refused},   // disabling worker
    Code{992, EventKind::upstream_closed},    // AJP: receive failed
    Code{1030, EventKind::upstream_closed},   // AJP: receive failed
    Code{1067, EventKind::upstream_closed},   // Failed to read FastCGI header
    Code{1070, EventKind::script_failed},     // Error parsing script headers
    Code{1075, EventKind::upstream_closed},   // Error dispatching request
    Code{1079, EventKind::upstream_refused},  // FastCGI: failed to make connection
    Code{1084, EventKind::upstream_closed},   // pass request body failed
    Code{1095, EventKind::client_closed},     // prefetch request body failed
    Code{1097, EventKind::upstream_closed},   // pass request body failed
    Code{1102, EventKind::upstream_closed},   // error reading status line
    Code{1110, EventKind::upstream_closed},   // error reading response
    Code{1114, EventKind::upstream_refused},  // failed to make connection
    Code{1220, EventKind::script_timeout},    // Timeout waiting for output from CGI script
    Code{1276, EventKind::other},             // Cannot serve directory
    Code{1382, EventKind::client_closed},     // Request header read timeout
    Code{2008, EventKind::tls_failed},        // SSL library error in handshake
    Code{2032, EventKind::bad_request},       // SNI and Host differ
    Code{2039, EventKind::tls_failed},        // Certificate Verification
    Code{2040, EventKind::tls_failed},        // Certificate Verification
    Code{2261, EventKind::tls_failed},        // Re-negotiation handshake failed
    Code{2454, EventKind::upstream_refused},  // attempt to connect to Unix domain socket failed
    Code{10244, EventKind::bad_request},      // invalid URI path
};
static_assert(std::ranges::is_sorted(kCodes, {}, &Code::number));

// For httpd 2.2, and for modules without numbers.
constexpr Phrase kPhrases[] = {
    {"mod_fcgid: read data timeout", EventKind::upstream_timeout},
    {"mod_fcgid: ... get unexpected signal", EventKind::worker_exited},
    {"mod_fcgid: can't apply process slot", EventKind::workers_exhausted},
    {"mod_fcgid: error reading data", EventKind::upstream_closed},
    {"Connection reset by peer: ... mod_fcgid", EventKind::upstream_closed},
    {"exit signal", EventKind::worker_exited},
    {"reached MaxRequestWorkers", EventKind::workers_exhausted},
    {"reached MaxClients", EventKind::workers_exhausted},
    {"resuming normal operations", EventKind::restarted},
    {"caught SIG ... shutting down", EventKind::restarted},
    {"Graceful restart requested", EventKind::restarted},
    {"Premature end of script headers", EventKind::script_failed},
    {"End of script output before headers", EventKind::script_failed},
    {"malformed header from script", EventKind::script_failed},
    {"Timeout waiting for output from CGI script", EventKind::script_timeout},
    {"request failed: ", EventKind::bad_request},
    {"Invalid URI in request", EventKind::bad_request},
};

/// The number in front, of apr or the system: `(70007)The timeout specified has expired: `.
EventKind by_error_number(EventKind kind, int64_t number) {
    constexpr int64_t kAprTimeUp = 70007;
    constexpr int64_t kTimedOut = 110;
    constexpr int64_t kRefused = 111;
    if (kind != EventKind::upstream_closed && kind != EventKind::upstream_refused) return kind;
    if (number == kAprTimeUp || number == kTimedOut) return EventKind::upstream_timeout;
    return number == kRefused ? EventKind::upstream_refused : kind;
}

/// Since 2.4 with its port: `192.0.2.1:5678`.
std::string_view without_port(std::string_view client) {
    const size_t colon = client.rfind(':');
    if (colon == std::string_view::npos || !leading_number(client.substr(colon + 1))) return client;
    client = client.substr(0, colon);
    if (client.starts_with('[') && client.ends_with(']')) {
        client = client.substr(1, client.size() - 2);
    }
    return client;
}

/// `core.c(123): ` of the debug levels.
std::string_view without_source_place(std::string_view text) {
    const size_t end = text.find("): ");
    const size_t space = text.find(' ');
    if (end == std::string_view::npos || space != end + 2) return text;
    return text.substr(0, end).find(".c(") == std::string_view::npos ? text : text.substr(end + 3);
}

void take_worker(std::string_view words, EventView& into) {
    if (const auto pid = number_behind(words, "pid ")) into.pid = *pid;
    if (const auto pid = number_behind(words, "process ")) into.pid = *pid;
    if (const auto signal = number_behind(words, "unexpected signal ")) {
        into.signal = static_cast<int>(std::min<int64_t>(*signal, 64));
    }
    if (const auto signal = behind(words, "exit signal ")) {
        if (const auto number = behind(*signal, "(")) into.signal = signal_number(*number);
    }
}

/// The script that it is about, as a path or as no more than a name.
void take_script(std::string_view words, EventView& into) {
    if (const auto name = behind(words, "malformed header from script '")) {
        into.script = up_to(*name, "'");
        return;
    }
    for (const std::string_view before :
         {"End of script output before headers: ", "Premature end of script headers: ",
          "Timeout waiting for output from CGI script "}) {
        if (const auto name = behind(words, before)) into.script = up_to(*name, ", referer: ");
    }
    if (into.script.empty() && into.kind == EventKind::script_failed) {
        set_script_of_php(words, into);
    }
}

/// `words`: of the message, behind the number of the error and the client.
void classify(std::string_view words, int64_t error_number, EventView& into) {
    const bool has_code = words.starts_with("AH");
    const auto number = has_code ? leading_number(words.substr(2)) : std::nullopt;
    const auto code = std::ranges::lower_bound(kCodes, number.value_or(-1), {}, &Code::number);
    if (number && code != kCodes.end() && code->number == *number) {
        into.kind = by_error_number(code->kind, error_number);
    } else {
        into.kind = kind_of_script(words);
        if (into.kind == EventKind::other) into.kind = kind_of(into.message, kPhrases);
    }
    if (number == 1075 && holds(words, "(reading input brigade)")) {
        into.kind = EventKind::client_closed;
    }
    if (into.kind == EventKind::worker_exited) take_worker(words, into);
    take_script(words, into);
    if (const auto uri = behind(words, " returned by ")) into.uri = up_to(*uri, ", referer: ");
}

}  // namespace

void read_apache_message(EventView& into) {
    into.system = "apache";
    std::string_view words = into.message;
    int64_t error_number = 0;
    if (words.starts_with('(')) {
        const auto number = leading_number(words.substr(1));
        const auto rest = behind(words, ": ");
        if (number && rest) {
            error_number = *number;
            words = *rest;
        }
    }
    if (words.starts_with("[client ")) {
        const auto client = take_bracketed(words);
        if (client) into.client = without_port(client->substr(7));
    }
    classify(words, error_number, into);
}

/// `[Wed Oct 11 14:32:52.123456 2026] [core:error] [pid 123:tid 456] [client ...] AH00126: message`
bool read_apache_error_line(std::string_view line, const EventContext& context, EventView& into) {
    std::string_view rest = line;
    const auto time_text = take_bracketed(rest);
    if (!time_text) return false;
    const auto time = apache_error_time(*time_text, context.zone_us);
    const auto level = take_bracketed(rest);
    if (!time || !level) return false;
    into.time = *time;
    into.resolution_us = resolution_of(*time_text);
    const size_t colon = level->find(':');
    into.severity = colon == std::string_view::npos ? *level : level->substr(colon + 1);
    if (rest.starts_with("[pid ")) {
        const auto process = take_bracketed(rest);
        if (process) into.pid = leading_number(process->substr(4)).value_or(-1);
    }
    rest = without_source_place(rest);
    std::string_view client;
    if (rest.starts_with("[client ")) {
        const auto text = take_bracketed(rest);
        if (text) client = text->substr(7);
    } else if (rest.starts_with("[remote ")) {
        take_bracketed(rest);
    }
    into.message = rest;
    read_apache_message(into);
    // Before 2.4 a client had no port.
    if (!client.empty()) into.client = into.pid >= 0 ? without_port(client) : client;
    return true;
}

}  // namespace edgecase::logs
