#include "diagnose/trace_told.hpp"

#include <algorithm>
#include <initializer_list>
#include <vector>

#include "lexicon/lookup.hpp"
#include "logs/event_nearness.hpp"

namespace edgecase::diagnose {
namespace {

using cause::Cause;
using logs::Event;
using logs::EventKind;
using logs::Naming;
using logs::Outcome;
using logs::TracedRay;
using Opinion = std::optional<Told>;

/// A server is stopped before it is started, and a process may be gone before it is asked.
constexpr int64_t kBeforeUs = 3'000'000;

bool is_one_of(EventKind kind, std::initializer_list<EventKind> kinds) {
    return std::ranges::find(kinds, kind) != kinds.end();
}

template <typename Fits>
const Event* first(const TracedRay& ray, Fits fits) {
    for (const auto& near : ray.nearby) {
        if (fits(*near)) return near.get();
    }
    return nullptr;
}

bool names(const TracedRay& ray, const Event& event) {
    const Naming naming = logs::naming_of(event, ray.edge);
    return naming == Naming::request || naming == Naming::script;
}

bool is_of_another(const TracedRay& ray, const Event& event) {
    return logs::naming_of(event, ray.edge) == Naming::another;
}

const Event* named(const TracedRay& ray, std::initializer_list<EventKind> kinds) {
    return first(
        ray, [&](const Event& event) { return is_one_of(event.kind, kinds) && names(ray, event); });
}

const Event* near_it(const TracedRay& ray, std::initializer_list<EventKind> kinds,
                     int64_t before_us = 0) {
    return first(ray, [&](const Event& event) {
        return is_one_of(event.kind, kinds) && !is_of_another(ray, event) &&
               logs::is_during(ray, event, before_us);
    });
}

std::string said(const Event& event) {
    return event.system + " says: " + event.message;
}

bool holds(std::string_view text, std::string_view words) {
    return text.find(words) != std::string_view::npos;
}

/// A response head came, and what followed it broke off.
bool has_begun(const TracedRay& ray) {
    return ray.edge.origin_status != 0 && ray.edge.origin_status != ray.edge.edge_status;
}

Cause cut_off(const TracedRay& ray, Cause before_the_head) {
    return has_begun(ray) ? Cause::body_short_fin : before_the_head;
}

Told by_script_timeout(const TracedRay& ray, const Event& slow, double confidence) {
    std::string fix = "Make the script quicker, move the work to a queue, or raise its time limit ";
    if (slow.system == "php-fpm") {
        fix += "(`request_terminate_timeout` of PHP-FPM's pool, which ended it by a signal).";
    } else if (slow.system == "apache") {
        fix += "(`Timeout`, `CGIDScriptTimeout`).";
    } else if (slow.system == "gunicorn") {
        fix += "(gunicorn's `--timeout`).";
    } else {
        fix += "(max_execution_time, request_terminate_timeout, the worker timeout).";
    }
    return {cut_off(ray, Cause::resp_empty_fin), confidence,
            "A script ran longer than it may. " + said(slow), std::move(fix)};
}

/// `named`: the line names the request or its script.
Told by_script_failure(const TracedRay& ray, const Event& failed, bool is_named) {
    const Cause cause = cut_off(ray, Cause::resp_empty_fin);
    if (!is_named) {
        return {cause, 0.6, "A script failed at that moment. " + said(failed),
                "Mend the error that the log names, if it is of this request."};
    }
    if (holds(failed.message, "malformed header from script")) {
        return {cause, 0.8, "A script wrote a malformed response head. " + said(failed),
                "A CGI script writes header lines, an empty line, and then its body: the log shows "
                "the line that is none. Debug output and warnings go elsewhere."};
    }
    if (holds(failed.message, "End of script output before headers") ||
        holds(failed.message, "Premature end of script headers")) {
        return {cause, 0.8, "A script ended before it had written a response head. " + said(failed),
                "Run the script by hand as the server's user: it died, could not be run, or wrote "
                "nothing."};
    }
    return {cause, 0.8, "A script failed. " + said(failed), "Mend the error that the log names."};
}

/// The processes that ended while the request was answered and of which nothing says that they
/// were at work on another.
template <typename Fits>
std::vector<const Event*> ends_near_it(const TracedRay& ray, Fits fits) {
    constexpr size_t kMost = 2;
    std::vector<const Event*> ends;
    for (const auto& near : ray.nearby) {
        const bool is_end = is_one_of(
            near->kind, {EventKind::out_of_memory, EventKind::segfault, EventKind::worker_exited});
        if (is_end && logs::is_during(ray, *near) && !is_of_another(ray, *near) && fits(*near) &&
            ends.size() < kMost) {
            ends.push_back(near.get());
        }
    }
    return ends;
}

/// The error that a program printed before it ended, if it did.
const Event& why_of(const TracedRay& ray, const Event& exited) {
    const Event* const error = first(ray, [&](const Event& event) {
        return event.kind == EventKind::script_failed && event.system == exited.system &&
               event.pid == exited.pid && logs::is_during(ray, event);
    });
    return error != nullptr ? *error : exited;
}

/// `ends`: at least one; several are not told apart where a log has no more than seconds.
std::string said_of_ends(const TracedRay& ray, const std::vector<const Event*>& ends) {
    const Event& one = why_of(ray, *ends.front());
    const Event& other = why_of(ray, *ends.back());
    if (one.message == other.message) return said(one);
    return said(one) + "; or it was this one: " + said(other);
}

/// Whether a process of that kind can be the one that the line names as upstream.
bool may_be_upstream(const Event& exited, const Event& line) {
    const bool is_fastcgi = holds(line.message, "fastcgi://");
    const bool is_http = holds(line.message, "upstream: \"http");
    if (exited.system == "php-fpm") return !is_http;
    if (exited.system == "gunicorn" || exited.system == "pm2" || exited.system == "node") {
        return !is_fastcgi;
    }
    return exited.system != line.system;
}

Cause behind_proxy(const TracedRay& ray, const Event& line) {
    if (ray.edge.edge_status != 520) return Cause::origin_status;
    const bool in_body = holds(line.message, "reading upstream") || holds(line.message, "AH01110");
    return in_body ? Cause::body_short_fin : cut_off(ray, Cause::resp_truncated_headers);
}

Told by_upstream(const TracedRay& ray, const Event& line, double confidence) {
    const Cause cause = behind_proxy(ray, line);
    const bool may_have_ended =
        line.kind == EventKind::upstream_closed || line.kind == EventKind::upstream_timeout;
    const auto ends = ends_near_it(
        ray, [&](const Event& end) { return may_have_ended && may_be_upstream(end, line); });
    if (!ends.empty()) {
        return {cause, confidence,
                "The server behind the origin's proxy ended while it answered. " +
                    said_of_ends(ray, ends) + "; " + said(line),
                "Find why it ended: its core dump or stack trace, a memory limit, a time limit, an "
                "extension that crashes."};
    }
    if (line.kind == EventKind::upstream_refused) {
        return {cause, confidence,
                "The origin is a proxy, and the server behind it took no connection. " + said(line),
                "Is the server that the line names as upstream up, and bound to that address "
                "and port (`ss -ltnp`)? Did it restart then?"};
    }
    if (line.kind == EventKind::upstream_timeout) {
        return {
            cause, confidence,
            "The origin is a proxy, and the server behind it did not answer in time. " + said(line),
            "What was the server that the line names as upstream doing for that long? Its "
            "slow log; the database."};
    }
    if (line.kind == EventKind::upstream_bad) {
        return {cause, confidence,
                "The origin is a proxy, and what the server behind it sent was not "
                "acceptable. " +
                    said(line),
                "Measure the response head that the line names (cookies, debug fields), or "
                "mend the field that it shows."};
    }
    const bool in_body = cause == Cause::body_short_fin;
    return {cause, confidence,
            std::string("The origin is a proxy, and the server behind it ") +
                (in_body ? "broke its response off. " : "failed. ") + said(line),
            "Look at the server that the line names as upstream: its own log at that second says "
            "why."};
}

Opinion by_named_event(const TracedRay& ray) {
    if (const auto* const slow = named(ray, {EventKind::script_timeout})) {
        return by_script_timeout(ray, *slow, 0.9);
    }
    if (const auto* const failed = named(ray, {EventKind::script_failed})) {
        return by_script_failure(ray, *failed, true);
    }
    if (const auto* const behind =
            named(ray, {EventKind::upstream_closed, EventKind::upstream_timeout,
                        EventKind::upstream_refused, EventKind::upstream_bad})) {
        return by_upstream(ray, *behind, 0.9);
    }
    if (const auto* const refused = named(ray, {EventKind::bad_request})) {
        return Told{Cause::resp_empty_fin, 0.8,
                    "The origin would not take the request. " + said(*refused),
                    "Compare the size and form of the request's head with the origin's limits."};
    }
    return std::nullopt;
}

/// The origin's line, if it is certain what it says: its own, or all candidates agree.
const logs::OriginLine* certain_line(const TracedRay& ray) {
    if (ray.lines.empty()) return nullptr;
    const logs::OriginLine& last = ray.lines.back();
    if (ray.outcome == Outcome::matched) return &last;
    const bool agree = std::ranges::all_of(ray.lines, [&](const logs::OriginLine& line) {
        return line.status == last.status && line.reason == last.reason;
    });
    return ray.outcome == Outcome::ambiguous && agree ? &last : nullptr;
}

/// The word of a proxy for how it ended.
Opinion by_state(const TracedRay& ray, const logs::OriginLine& line) {
    const bool is_haproxy = line.reason.size() == 4;
    for (const lexicon::Match& match : lexicon::look_up(line.reason)) {
        const std::string_view system = match.vocabulary->system;
        if (system != (is_haproxy ? "haproxy" : "envoy")) continue;
        const lexicon::Word& word = *match.word;
        if (word.word == "--") return std::nullopt;
        const auto rows = lexicon::causes_of(word);
        const bool by_client = word.causes.starts_with("client.");
        const bool fits = ray.edge.edge_status == 520 && !rows.empty() && !by_client;
        std::string logs = is_haproxy ? "HAProxy ended it with " : "Envoy ended it with ";
        logs += line.reason + ": " + std::string(word.meaning);
        std::string fix;
        if (!by_client) {
            fix = !word.next.empty() ? std::string(word.next)
                                     : "Look at the server behind the proxy, which the line names: "
                                       "its own log at that second says why.";
        }
        Cause cause = fits ? rows.front()->cause : Cause::none;
        if (word.causes.starts_with("body.") || !has_begun(ray)) {
            return Told{cause, fits ? 0.8 : 0, std::move(logs), std::move(fix)};
        }
        cause = fits ? Cause::body_short_fin : Cause::none;
        return Told{cause, fits ? 0.6 : 0, std::move(logs), std::move(fix)};
    }
    return std::nullopt;
}

Opinion by_certain_line(const TracedRay& ray) {
    constexpr uint16_t kNginxClosed = 444;
    const logs::OriginLine* const line = certain_line(ray);
    if (line == nullptr) return std::nullopt;
    if (line->status == kNginxClosed) {
        return Told{Cause::resp_empty_fin, 0.95,
                    "The origin closed on purpose: 444 is nginx's `return 444`.",
                    "Look for the rule with `return 444` (a bot blocker, a default server): it "
                    "takes the edge's requests too.",
                    true};
    }
    return line->reason.size() >= 2 ? by_state(ray, *line) : std::nullopt;
}

/// A process that ends leads to this.
bool may_follow_an_end(Cause cause, uint16_t edge_status) {
    if (cause == Cause::none) return edge_status == 520;
    if (cause == Cause::origin_status) return edge_status >= 502 && edge_status <= 504;
    const std::string_view name = cause::row(cause).name;
    constexpr std::string_view kBegin[] = {"resp.empty",
                                           "resp.reset",
                                           "resp.truncated",
                                           "resp.connection_lost",
                                           "body.short",
                                           "body.chunk_trunc",
                                           "body.chunk_reset",
                                           "body.close_delimited",
                                           "body.connection",
                                           "request.write_",
                                           "reuse.",
                                           "connect.refused",
                                           "connect.reset",
                                           "connect.rejected",
                                           "tls.fin",
                                           "tls.rst",
                                           "h2.connection_fin",
                                           "h2.connection_r",
                                           "h2.rst_stream",
                                           "h2.closed_early",
                                           "h2.goaway",
                                           "resp.only_1xx",
                                           "resp.reset_after_1xx"};
    return std::ranges::any_of(kBegin,
                               [&](std::string_view begin) { return name.starts_with(begin); });
}

/// What has no room for more requests leads to this.
bool may_follow_a_crowd(Cause cause, uint16_t edge_status) {
    const std::string_view name = cause::row(cause).name;
    return may_follow_an_end(cause, edge_status) || name.starts_with("time.") ||
           name.starts_with("connect.timeout") || name.starts_with("request.not_acked");
}

/// The request asked for a script of its own name, and the event is about another.
bool is_of_another_script(const TracedRay& ray, const Event& event) {
    if (event.script.empty()) return false;
    const std::string_view path = std::string_view(ray.edge.uri).substr(0, ray.edge.uri.find('?'));
    return event.system == "apache" || path.ends_with(".php");
}

Opinion by_end_near_it(const TracedRay& ray) {
    if (const auto* const killed = near_it(ray, {EventKind::out_of_memory})) {
        return Told{
            cut_off(ray, Cause::resp_empty_rst), 0.85,
            "The kernel ran out of memory at that moment and killed a process. " + said(*killed),
            "Give the service more memory or fewer workers, or find what grew; the kernel "
            "log names the process and its size."};
    }
    const auto ends = ends_near_it(ray, [](const Event&) { return true; });
    if (ends.empty()) return std::nullopt;
    const int64_t pid = ends.front()->pid;
    const bool its_own =
        pid >= 0 && std::ranges::any_of(ray.lines, [&](const logs::OriginLine& line) {
            return line.worker == pid;
        });
    return Told{cut_off(ray, Cause::resp_empty_rst), its_own ? 0.9 : 0.75,
                "A process of the origin ended at that moment. " + said_of_ends(ray, ends),
                "Find why it ended: its core dump or stack trace, a memory limit, an extension "
                "that crashes; a supervisor must start it again."};
}

}  // namespace

Opinion told_of_it(const TracedRay& ray) {
    // Both may be: the line of the access log says how it ended, and the other why.
    if (auto told = by_named_event(ray)) return told;
    return by_certain_line(ray);
}

Opinion told_near_it(const TracedRay& ray, Cause cause) {
    const uint16_t status = ray.edge.edge_status;
    const bool may_end = may_follow_an_end(cause, status);
    if (may_end) {
        if (auto told = by_end_near_it(ray)) return told;
    }
    if (may_follow_a_crowd(cause, status)) {
        const auto* const slow = near_it(ray, {EventKind::script_timeout});
        if (slow != nullptr && !is_of_another_script(ray, *slow)) {
            return by_script_timeout(ray, *slow, 0.75);
        }
        if (const auto* const full = near_it(ray, {EventKind::workers_exhausted}, kBeforeUs)) {
            return Told{cut_off(ray, Cause::resp_empty_rst), 0.6,
                        "The origin had no process or connection left. " + said(*full),
                        "Raise the number of workers if memory allows, or shorten what they do."};
        }
    }
    const bool may_fail = may_end || cause == Cause::origin_status;
    const auto* const failed = may_fail ? near_it(ray, {EventKind::script_failed}) : nullptr;
    if (failed != nullptr && !is_of_another_script(ray, *failed)) {
        return by_script_failure(ray, *failed, false);
    }
    const auto* const behind =
        may_fail ? near_it(ray, {EventKind::upstream_closed, EventKind::upstream_timeout,
                                 EventKind::upstream_refused, EventKind::upstream_bad})
                 : nullptr;
    if (behind != nullptr && (status == 520 || (status >= 502 && status <= 504))) {
        return by_upstream(ray, *behind, 0.6);
    }
    if (!may_end) return std::nullopt;
    // What had ended before explains a connection that was not taken, or not any more.
    const std::string_view name = cause::row(cause).name;
    if (name.starts_with("connect.") || name.starts_with("reuse.")) {
        if (const auto* const exited =
                near_it(ray, {EventKind::segfault, EventKind::worker_exited}, kBeforeUs)) {
            return Told{cause, 0.75, "A process of the origin had just ended. " + said(*exited),
                        "Find why it ended; a supervisor must start it again at once."};
        }
    }
    if (status != 520 && cause == Cause::origin_status) return std::nullopt;
    if (const auto* const refused = near_it(ray, {EventKind::bad_request})) {
        return Told{Cause::resp_empty_fin, 0.5,
                    "The origin would not take a request at that moment. " + said(*refused),
                    "Compare the size and form of the request's head with the origin's limits."};
    }
    if (const auto* const tls = near_it(ray, {EventKind::tls_failed})) {
        return Told{Cause::tls_client_cert_required, 0.5,
                    "A TLS handshake failed at the origin. " + said(*tls)};
    }
    if (const auto* const started = near_it(ray, {EventKind::restarted}, kBeforeUs)) {
        // A server starts another process for one that ended: the end is the reason.
        const auto* const ended =
            near_it(ray, {EventKind::out_of_memory, EventKind::segfault, EventKind::worker_exited},
                    kBeforeUs);
        if (ended != nullptr && ended->system == started->system) {
            return Told{cut_off(ray, Cause::resp_empty_fin), 0.6,
                        "A process of the origin ended at about that moment. " + said(*ended),
                        "Find why it ended, in the log of that process and in the kernel's."};
        }
        return Told{cut_off(ray, Cause::resp_empty_fin), 0.6,
                    "The origin was restarted at that moment. " + said(*started),
                    "Reload instead of restarting, and let requests under way end first."};
    }
    return std::nullopt;
}

Opinion told_by_line(const TracedRay& ray) {
    if (ray.lines.empty() || ray.outcome != Outcome::matched) return std::nullopt;
    const logs::OriginLine& line = ray.lines.back();
    constexpr uint16_t kNginxClientLeft = 499;
    if (line.status == kNginxClientLeft) {
        return Told{Cause::time_first_byte, 0.6,
                    "The origin was still at work when the edge gave up (499)."};
    }
    const std::string logged = "The origin logged " + std::to_string(line.status);
    if (line.status == 200 && line.body_bytes == 0 && ray.edge.method != "HEAD") {
        return Told{Cause::resp_truncated_headers, 0.6,
                    "The origin logged 200 with 0 bytes: a partial response, its head was begun "
                    "and its body never came.",
                    "Look for what ends the script after its headers: a time limit, a fatal error, "
                    "a worker that died."};
    }
    if (line.status >= 500 && line.status == ray.edge.edge_status) {
        return Told{Cause::origin_status, 0.9, logged + " itself, and the edge passed it on."};
    }
    if (line.status >= 500) {
        return Told{Cause::resp_truncated_headers, 0.4,
                    logged + ", but no such response reached the edge whole."};
    }
    if (line.status == 0) return std::nullopt;
    return Told{Cause::resp_headers_too_large, 0.45,
                logged + " and believes that it answered: what it sent was not acceptable.",
                "Measure the response head (many or long Set-Cookie, Link, debug fields), and look "
                "for fields that are malformed or forbidden in HTTP/2."};
}

}  // namespace edgecase::diagnose
