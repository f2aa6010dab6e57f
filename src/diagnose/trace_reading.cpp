#include "diagnose/trace_reading.hpp"

#include <algorithm>

#include "diagnose/trace_told.hpp"

namespace edgecase::diagnose {
namespace {

using cause::Cause;
using logs::Outcome;
using logs::TracedRay;

/// A 520 that only an edge without reasons can leave open.
Told unknown_error(const TracedRay& ray) {
    if (auto told = told_of_it(ray); told && told->cause != Cause::none) return *told;
    if (auto told = told_near_it(ray, Cause::none)) return *told;
    if (ray.edge.origin_status != 0) {
        // Its own line, if there is one, says no more than the edge has seen.
        return {Cause::none, 0,
                "A status line came, and no log says what was wrong behind it: a head that is "
                "malformed or too large, or a body that broke off.",
                "Measure the response head (many or long Set-Cookie, Link, debug fields) and look "
                "for malformed fields; compare the length that was announced with what came; give "
                "the origin's error log with --error-log."};
    }
    if (auto told = told_by_line(ray)) return *told;
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

Told by_status(const TracedRay& ray) {
    const logs::EdgeRay& edge = ray.edge;
    switch (edge.edge_status) {
        case 499:
            return {Cause::client_abort, 0.9, {}};
        case 520:
            return unknown_error(ray);
        case 521:
            return {Cause::connect_refused, 0.9, {}};
        case 522:
            // With a handshake the request's bytes were not acknowledged.
            return edge.connect_ms > 0 ? Told{Cause::request_not_acked, 0.7, {}}
                                       : Told{Cause::connect_timeout, 0.9, {}};
        case 523:
            return {Cause::connect_host_unreachable, 0.6, {}};
        case 524:
            return {
                edge.origin_status == 0 ? Cause::time_first_byte : Cause::time_body_idle, 0.85, {}};
        case 525:
            return {Cause::tls_alert, 0.4, {}};
        case 526:
            return {Cause::tls_cert_invalid, 0.5, {}};
        case 530:
            return {Cause::dns_nxdomain, 0.5, {}};
        default:
            break;
    }
    if (edge.edge_status >= 500 && edge.origin_status == edge.edge_status) {
        return {Cause::origin_status, 0.99, {}};
    }
    return {Cause::none, 0, {}};
}

Cause cause_named(std::string_view name) {
    for (const cause::Row& row : cause::table()) {
        if (row.name == name) return row.cause;
    }
    return Cause::none;
}

constexpr std::string_view kLeftNoLine =
    "The request arrived, for the origin answered or broke off, and it left no line in logs that "
    "cover that time: the server died, or was ended, before it could write one.";
constexpr std::string_view kLeftNoLineOnReuse =
    "The request reached the origin's machine on a connection that was being closed, and left no "
    "line in logs that cover that time: the server never read it.";

/// Bytes came back, or the request's were acknowledged.
bool proves_arrival(Cause cause) {
    const std::string_view name = cause::row(cause).name;
    return name.starts_with("resp.") || name.starts_with("body.") || name.starts_with("time.") ||
           cause == Cause::reuse_stale || cause == Cause::origin_status ||
           cause == Cause::request_write_reset || cause == Cause::h2_rst_stream;
}

bool has_failed(const TracedRay& ray, Cause cause) {
    return cause != Cause::none || ray.edge.edge_status >= 500;
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
    Told verdict = known != Cause::none ? Told{known, 0.99, {}} : by_status(ray);
    reading.arrived = ray.outcome == Outcome::never_arrived && proves_arrival(known);
    // The edge saw it happen; the logs say what was behind it.
    if (verdict.logs.empty() && has_failed(ray, verdict.cause)) {
        auto told = told_of_it(ray);
        if (!told) told = told_near_it(ray, verdict.cause);
        if (!told && ray.outcome == Outcome::matched) {
            told = told_by_line(ray);
            if (told) told->fix.clear();  // of the cause that it guesses
        }
        if (told) {
            verdict.logs = std::move(told->logs);
            verdict.on_purpose = told->on_purpose;
            const cause::Row& row = cause::row(verdict.cause);
            const bool fits = row.actor == cause::Actor::origin && row.phase() != "tls" &&
                              row.phase() != "dns" && row.phase() != "connect";
            if (fits) verdict.fix = std::move(told->fix);
        }
    }
    if (verdict.logs.empty() && reading.arrived) {
        verdict.logs = verdict.cause == Cause::reuse_stale ? kLeftNoLineOnReuse : kLeftNoLine;
    } else if (verdict.logs.empty() && ray.outcome == Outcome::never_arrived) {
        verdict.logs = "The request is in none of the origin's logs, which cover that time.";
    }
    reading.cause = verdict.cause;
    reading.confidence = verdict.confidence;
    reading.on_purpose = verdict.on_purpose;
    reading.logs = std::move(verdict.logs);
    reading.fix = !verdict.fix.empty()           ? std::move(verdict.fix)
                  : verdict.cause == Cause::none ? std::string()
                                                 : std::string(cause::row(verdict.cause).fix);
    return reading;
}

std::string_view outcome_of(const TracedRay& ray, const Reading& reading) {
    return reading.arrived ? kLeftNoLineOutcome : logs::to_string(ray.outcome);
}

}  // namespace edgecase::diagnose
