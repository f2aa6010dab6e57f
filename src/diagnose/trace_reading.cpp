#include "diagnose/trace_reading.hpp"

#include <algorithm>
#include <optional>

namespace edgecase::diagnose {
namespace {

using cause::Cause;
using logs::EventKind;
using logs::Outcome;
using logs::TracedRay;

struct Verdict {
    Cause cause;
    double confidence;
    std::string logs{};
    std::string fix{};  // empty: the cause's own
};
using Opinion = std::optional<Verdict>;

const logs::Event* nearest(const TracedRay& ray, std::initializer_list<EventKind> kinds) {
    for (const auto& near : ray.nearby) {
        const logs::Event& event = *near;
        if (std::ranges::find(kinds, event.kind) != kinds.end()) return &event;
    }
    return nullptr;
}

/// Certain that the event is about this very request.
bool names_it(const TracedRay& ray, const logs::Event& event) {
    if (event.ray != 0) return event.ray == ray.edge.ray;
    return !event.uri.empty() && event.uri == ray.edge.uri;
}

bool names_any(const TracedRay& ray) {
    return std::ranges::any_of(ray.nearby,
                               [&](const auto& event) { return names_it(ray, *event); });
}

/// Something ended or ran out: that explains most failures near it.
bool is_telling(const TracedRay& ray) {
    return nearest(ray, {EventKind::out_of_memory, EventKind::segfault, EventKind::worker_exited,
                         EventKind::workers_exhausted}) != nullptr;
}

std::string said(const logs::Event& event) {
    return event.system + " says: " + event.message;
}

/// What the origin's other logs say around that moment.
Opinion by_events(const TracedRay& ray) {
    if (const auto* const killed = nearest(ray, {EventKind::out_of_memory})) {
        return Verdict{
            Cause::resp_empty_rst, 0.85,
            "The kernel ran out of memory at that moment and killed a process. " + said(*killed),
            "Give the service more memory or fewer workers, or find what grew; the "
            "kernel log names the process and its size."};
    }
    if (const auto* const exited = nearest(ray, {EventKind::segfault, EventKind::worker_exited})) {
        return Verdict{Cause::resp_empty_rst, 0.85,
                       "A process of the origin ended at that moment. " + said(*exited),
                       "Find why it ended: its core dump or stack trace, a memory limit, an "
                       "extension that crashes; a supervisor must start it again."};
    }
    if (const auto* const slow = nearest(ray, {EventKind::script_timeout})) {
        return Verdict{Cause::resp_empty_fin, names_it(ray, *slow) ? 0.9 : 0.75,
                       "A script ran longer than it may. " + said(*slow),
                       "Make the script quicker, move the work to a queue, or raise its time limit "
                       "(max_execution_time, request_terminate_timeout, the worker timeout)."};
    }
    if (const auto* const full = nearest(ray, {EventKind::workers_exhausted})) {
        return Verdict{Cause::resp_empty_rst, 0.6,
                       "The origin had no process or connection left. " + said(*full),
                       "Raise the number of workers if memory allows, or shorten what they do."};
    }
    if (const auto* const failed = nearest(ray, {EventKind::script_failed})) {
        return Verdict{Cause::resp_empty_fin, names_it(ray, *failed) ? 0.8 : 0.6,
                       "A script failed. " + said(*failed), "Mend the error that the log names."};
    }
    if (const auto* const behind =
            nearest(ray, {EventKind::upstream_closed, EventKind::upstream_timeout,
                          EventKind::upstream_refused})) {
        return Verdict{Cause::origin_status, names_it(ray, *behind) ? 0.9 : 0.6,
                       "The origin is a proxy, and the server behind it failed. " + said(*behind),
                       "Look at the server that the line names as upstream: its own log at that "
                       "second says why."};
    }
    if (const auto* const refused = nearest(ray, {EventKind::bad_request})) {
        return Verdict{Cause::resp_empty_fin, names_it(ray, *refused) ? 0.8 : 0.5,
                       "The origin would not take the request. " + said(*refused),
                       "Compare the size and form of the request's head with the origin's limits."};
    }
    if (const auto* const tls = nearest(ray, {EventKind::tls_failed})) {
        return Verdict{Cause::tls_client_cert_required, 0.5,
                       "A TLS handshake failed at the origin. " + said(*tls)};
    }
    const auto* const started = nearest(ray, {EventKind::restarted});
    if (started != nullptr && ray.edge.edge_status == 520) {
        return Verdict{Cause::resp_empty_fin, 0.6,
                       "The origin was restarted at that moment. " + said(*started),
                       "Reload instead of restarting, and let requests under way end first."};
    }
    return std::nullopt;
}

/// What its access log says it answered.
Opinion by_line(const TracedRay& ray) {
    if (ray.lines.empty() || ray.outcome != Outcome::matched) return std::nullopt;
    const logs::OriginLine& line = ray.lines.back();
    constexpr uint16_t kNginxClosed = 444;
    constexpr uint16_t kNginxClientLeft = 499;
    if (line.status == kNginxClosed) {
        return Verdict{Cause::resp_empty_fin, 0.95,
                       "The origin closed on purpose: 444 is nginx's `return 444`.",
                       "Look for the rule with `return 444` (a bot blocker, a default server): it "
                       "takes the edge's requests too."};
    }
    if (line.status == kNginxClientLeft) {
        return Verdict{Cause::time_first_byte, 0.6,
                       "The origin was still at work when the edge gave up (499)."};
    }
    const bool good = line.status >= 200 && line.status < 300;
    if (good && line.body_bytes == 0 && ray.edge.method != "HEAD" && line.status == 200) {
        return Verdict{Cause::resp_truncated_headers, 0.6,
                       "The origin logged 200 with 0 bytes: a partial response, its head was begun "
                       "and its body never came.",
                       "Look for what ends the script after its headers: a time limit, a fatal "
                       "error, a worker that died."};
    }
    if (line.status >= 500 && line.status == ray.edge.edge_status) {
        return Verdict{Cause::origin_status, 0.9,
                       "The origin logged " + std::to_string(line.status) +
                           " itself, and the edge passed it on."};
    }
    if (line.status >= 500) {
        return Verdict{Cause::resp_truncated_headers, 0.4,
                       "The origin logged " + std::to_string(line.status) +
                           ", but no such response reached the edge whole."};
    }
    if (line.status != 0) {
        return Verdict{Cause::resp_headers_too_large, 0.45,
                       "The origin logged " + std::to_string(line.status) +
                           " and believes that it answered: what it sent was not acceptable.",
                       "Measure the response head (many or long Set-Cookie, Link, debug fields), "
                       "and look for fields that are malformed or forbidden in HTTP/2."};
    }
    return std::nullopt;
}

/// A 520 that only an edge without reasons can leave open.
Verdict unknown_error(const TracedRay& ray) {
    if (ray.edge.origin_status != 0) {
        return {Cause::resp_bad_header_value_control, 0.4,
                "A status line came, and what followed it was malformed or too large.",
                "Measure the response head and look for malformed fields."};
    }
    if (auto verdict = by_events(ray)) return *verdict;
    if (auto verdict = by_line(ray)) return *verdict;
    const bool reused = ray.edge.connect_ms == 0 && ray.edge.tls_ms <= 0;
    if (ray.outcome == Outcome::never_arrived && reused) {
        return {Cause::reuse_stale, 0.65,
                "The request is in no log though they cover that time, and its connection had been "
                "used before."};
    }
    if (ray.outcome == Outcome::never_arrived) {
        return {Cause::resp_empty_rst, 0.5,
                "The request is in no log though they cover that time: something in front of the "
                "server answered, or it died before it could write the line.",
                "Compare the firewall's rules and the security plugin's lists with the edge's "
                "address ranges; then look for a crash."};
    }
    return {Cause::none, 0, {}, {}};
}

Verdict by_status(const TracedRay& ray) {
    const logs::EdgeRay& edge = ray.edge;
    switch (edge.edge_status) {
        case 499:
            return {Cause::client_abort, 0.9};
        case 520:
            return unknown_error(ray);
        case 521:
            return {Cause::connect_refused, 0.9};
        case 522:
            // With a handshake the request's bytes were not acknowledged.
            return edge.connect_ms > 0 ? Verdict{Cause::request_not_acked, 0.7}
                                       : Verdict{Cause::connect_timeout, 0.9};
        case 523:
            return {Cause::connect_host_unreachable, 0.6};
        case 524:
            return {edge.origin_status == 0 ? Cause::time_first_byte : Cause::time_body_idle, 0.85};
        case 525:
            return {Cause::tls_alert, 0.4};
        case 526:
            return {Cause::tls_cert_invalid, 0.5};
        case 530:
            return {Cause::dns_nxdomain, 0.5};
        default:
            break;
    }
    if (edge.edge_status >= 500 && edge.origin_status == edge.edge_status) {
        return {Cause::origin_status, 0.99};
    }
    return {Cause::none, 0};
}

Cause cause_named(std::string_view name) {
    for (const cause::Row& row : cause::table()) {
        if (row.name == name) return row.cause;
    }
    return Cause::none;
}

}  // namespace

std::string_view meaning_of(const logs::EdgeRay& edge) {
    const bool answered = edge.origin_status != 0;
    switch (edge.edge_status) {
        case 499:
            return "The client left before it had an answer.";
        case 520:
            return answered ? "The origin sent a status, but its response was not acceptable."
                            : "The origin ended the exchange before a response head was complete.";
        case 521:
            return "The origin refused the connection.";
        case 522:
            return "The origin did not answer on the TCP level in time.";
        case 523:
            return "No way leads to the origin's address.";
        case 524:
            return answered ? "The origin began its response and fell silent."
                            : "The origin took the request and did not answer in time.";
        case 525:
            return "The TLS handshake with the origin failed.";
        case 526:
            return "The origin's certificate was not acceptable.";
        case 530:
            return "The origin's name did not resolve.";
        default:
            break;
    }
    if (edge.edge_status >= 500) {
        if (edge.origin_status == edge.edge_status) return "The origin itself sent this error.";
        return answered ? "The edge answered with an error of its own though the origin had spoken."
                        : "The edge answered with an error of its own without the origin.";
    }
    if (!answered && (edge.cache_status == "hit" || edge.cache_status == "revalidated")) {
        return "Served from the cache: the origin was not asked.";
    }
    return "The response was passed on.";
}

Reading read(const TracedRay& ray) {
    Reading reading;
    reading.pair = meaning_of(ray.edge);
    const Cause known = cause_named(ray.edge.cause);
    Verdict verdict = by_status(ray);
    const Opinion logged = by_events(ray);
    if (known != Cause::none) {
        // The edge saw it happen; the logs say what was behind it.
        verdict = {known, 0.99};
    }
    // What is not about this very request explains a failure of a kind that it can cause.
    const bool fits_known = logged && (names_any(ray) || ray.edge.edge_status == 520 ||
                                       verdict.cause == Cause::none || is_telling(ray));
    if (fits_known && verdict.logs.empty()) {
        verdict.logs = logged->logs;
        const cause::Row& row = cause::row(verdict.cause);
        const bool fits = row.actor == cause::Actor::origin && row.phase() != "tls" &&
                          row.phase() != "dns" && row.phase() != "connect";
        if (fits) verdict.fix = logged->fix;
    }
    if (verdict.logs.empty() && ray.outcome == Outcome::matched && !ray.lines.empty()) {
        if (const Opinion line = by_line(ray)) verdict.logs = line->logs;
    }
    if (verdict.logs.empty() && ray.outcome == Outcome::never_arrived) {
        verdict.logs = "The request is in none of the origin's logs, which cover that time.";
    }
    reading.cause = verdict.cause;
    reading.confidence = verdict.confidence;
    reading.logs = std::move(verdict.logs);
    reading.fix = !verdict.fix.empty()           ? std::move(verdict.fix)
                  : verdict.cause == Cause::none ? std::string()
                                                 : std::string(cause::row(verdict.cause).fix);
    return reading;
}

}  // namespace edgecase::diagnose
