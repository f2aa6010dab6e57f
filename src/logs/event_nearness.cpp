#include "logs/event_nearness.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <utility>

#include "record/redact_uri.hpp"

namespace edgecase::logs {
namespace {

// A parent learns of a child's end, and logs it, a little later.
constexpr int64_t kSlackUs = 300'000;
// Of clocks that nothing compared: most machines keep theirs this well.
constexpr int64_t kUncomparedSlackUs = 1'000'000;

constexpr std::string_view kScriptEnding = ".php";

/// An edge's own records have credentials hidden in their URIs.
bool is_same_uri(std::string_view logged, std::string_view of_edge) {
    if (logged == of_edge) return true;
    if (of_edge.find("[redacted]") == std::string_view::npos) return false;
    return record::redact_uri(logged) == of_edge;
}

/// `/srv/www/php/fatal.php` for `/php/fatal.php?a=1`, `badhdr` for `/cgi/badhdr`.
bool is_script_of(std::string_view script, std::string_view uri) {
    const std::string_view path = uri.substr(0, uri.find('?'));
    if (path.size() < 2 || path.front() != '/') return false;
    if (script.find('/') != std::string_view::npos) return script.ends_with(path);
    return path.substr(path.rfind('/') + 1) == script;
}

bool is_front_controller(std::string_view script) {
    const std::string_view name = script.substr(script.rfind('/') + 1);
    return name.starts_with("index.") || name.starts_with("app.");
}

}  // namespace

int weight_of(EventKind kind) {
    switch (kind) {
        case EventKind::other:
            return 0;
        case EventKind::restarted:
        case EventKind::client_closed:
            return 1;
        case EventKind::upstream_closed:
        case EventKind::upstream_timeout:
        case EventKind::upstream_refused:
        case EventKind::upstream_bad:
        case EventKind::script_failed:
        case EventKind::bad_request:
        case EventKind::tls_failed:
            return 2;
        case EventKind::script_timeout:
        case EventKind::workers_exhausted:
            return 3;
        case EventKind::worker_exited:
        case EventKind::out_of_memory:
        case EventKind::segfault:
            return 4;
    }
    return 0;
}

Naming naming_of(const Event& event, const EdgeRay& edge) {
    if (event.ray != 0) return event.ray == edge.ray ? Naming::request : Naming::another;
    if (!event.uri.empty()) {
        // PHP-FPM names the script that a front controller's requests all end up at.
        const std::string_view path = edge.uri.substr(0, edge.uri.find('?'));
        const bool is_script = !event.script.empty() && is_script_of(event.script, event.uri);
        if (is_script && !path.ends_with(kScriptEnding) && is_front_controller(event.script)) {
            return Naming::none;
        }
        const bool same_method =
            event.method.empty() || edge.method.empty() || event.method == edge.method;
        return same_method && is_same_uri(event.uri, edge.uri) ? Naming::request : Naming::another;
    }
    if (!event.script.empty() && is_script_of(event.script, edge.uri)) return Naming::script;
    return Naming::none;
}

double relevance(const TracedRay& ray, const Event& event) {
    const Naming naming = naming_of(event, ray.edge);
    if (naming == Naming::another) return 0;
    if (event.ray != 0) return 100;
    double score = weight_of(event.kind);
    if (naming == Naming::request) score += 10;
    if (naming == Naming::script) score += 8;
    const bool same_worker =
        event.pid >= 0 &&
        std::ranges::any_of(ray.lines, [&](const auto& line) { return line.worker == event.pid; });
    if (same_worker) score += 5;
    // What ended long after the response, or before the request, explains it less.
    if (naming == Naming::none && is_during(ray, event)) score += 1;
    const LogTime end = ray.edge.end == kNoTime ? ray.edge.start : ray.edge.end;
    const double apart = static_cast<double>(std::abs(event.time - end - ray.clock_us)) / 1e6;
    return score + 1 / (1 + apart);
}

void name_ends(std::vector<Event>& events) {
    constexpr int64_t kLongestUs = 10'000'000;  // a process that is told to end takes a while
    std::map<std::pair<std::string_view, int64_t>, std::vector<const Event*>> at_work;
    const auto key_of = [](const Event& event) {
        return std::pair(std::string_view(event.system), event.pid);
    };
    for (const Event& event : events) {
        const bool is_one = event.kind == EventKind::script_timeout && !event.uri.empty();
        if (is_one && event.pid >= 0) at_work[key_of(event)].push_back(&event);
    }
    for (Event& event : events) {
        if (event.kind != EventKind::worker_exited || !event.uri.empty()) continue;
        const auto found = at_work.find(key_of(event));
        if (found == at_work.end()) continue;
        const auto after = std::ranges::upper_bound(found->second, event.time, {}, &Event::time);
        if (after == found->second.begin()) continue;
        const Event& last = **(after - 1);
        if (event.time - last.time > kLongestUs) continue;
        event.method = last.method;
        event.uri = last.uri;
        event.script = last.script;
    }
}

bool is_during(const TracedRay& ray, const Event& event, int64_t before_us) {
    if (event.time == kNoTime || ray.edge.start == kNoTime) return false;
    const int64_t slack =
        ray.edge.resolution_us + (ray.is_clock_known ? kSlackUs : kUncomparedSlackUs);
    const LogTime end = ray.edge.end == kNoTime ? ray.edge.start : ray.edge.end;
    const LogTime time = event.time - ray.clock_us;
    return time + event.resolution_us >= ray.edge.start - slack - before_us && time <= end + slack;
}

}  // namespace edgecase::logs
