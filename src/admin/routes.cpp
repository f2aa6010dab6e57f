#include "admin/routes.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "admin/dashboard.hpp"
#include "admin/records_api.hpp"
#include "record/case_json.hpp"
#include "record/traffic.hpp"

namespace edgecase::admin {
namespace {

using Json = nlohmann::ordered_json;

// The order is that of docs/admin.md. openapi.json has the same list; a test compares them.
constexpr std::array kRoutes{
    Route{"GET", "/healthz", true, true},
    Route{"GET", "/readyz", true, true},
    Route{"GET", "/metrics", false, true},
    Route{"GET", "/openapi.json", true, true},
    Route{"GET", "/api/status", true, true},
    Route{"POST", "/api/login", true, true},
    Route{"POST", "/api/logout", true, true},
    Route{"GET", "/api/traffic"},
    Route{"GET", "/api/rays/{ray}"},
    Route{"GET", "/api/cases"},
    Route{"GET", "/api/causes/{name}", false, true},
    Route{"GET", "/api/findings"},
    Route{"GET", "/api/nodes"},
    Route{"GET", "/api/origins"},
    Route{"PUT", "/api/origins/http2"},
    Route{"GET", "/api/switches", false, true},
    Route{"PUT", "/api/switches"},
    Route{"GET", "/api/tail", false, true},
};

/// The last segment when `pattern` ends in braces and fits; empty text when it fits without.
std::optional<std::string_view> fit(std::string_view pattern, std::string_view path) {
    if (!pattern.ends_with('}'))
        return pattern == path ? std::optional(std::string_view()) : std::nullopt;
    const std::string_view stem = pattern.substr(0, pattern.rfind('/') + 1);
    if (!path.starts_with(stem) || path.size() == stem.size()) return std::nullopt;
    const std::string_view last = path.substr(stem.size());
    return last.contains('/') ? std::nullopt : std::optional(last);
}

struct Found {
    const Route* route = nullptr;  // null: no such path
    std::string_view last;
    std::string allowed;  // methods, when the path is known and the method is not
};

Found find(const Request& request) {
    const std::string_view method =
        request.method == "HEAD" ? "GET" : std::string_view(request.method);
    Found found;
    for (const Route& route : kRoutes) {
        const auto last = fit(route.path, request.path);
        if (!last) continue;
        if (route.method == method) return {&route, *last, {}};
        found.allowed += (found.allowed.empty() ? "" : ", ") + std::string(route.method);
    }
    return found;
}

/// Fields that keep a page of ours from being used against us, on every answer.
void harden(Response& response) {
    response.fields.emplace_back("X-Content-Type-Options", "nosniff");
    response.fields.emplace_back("Referrer-Policy", "no-referrer");
    response.fields.emplace_back("X-Frame-Options", "DENY");
    response.fields.emplace_back("Cross-Origin-Resource-Policy", "same-origin");
    response.fields.emplace_back("Content-Security-Policy", kContentSecurityPolicy);
}

/// What this edge sent to each origin in the last hour, and what came of it. Errors: a sentence.
std::expected<std::map<std::string, record::TrafficTotals>, std::string> last_hour(
    record::Source& source, const std::string& node) {
    std::map<std::string, record::TrafficTotals> hour;
    const base::WallTime now = base::SystemClock().wall_now();
    const auto read = source.visit_rollups(
        {.since = now - std::chrono::hours(1), .until = now, .node = node, .with_paths = false},
        [&](const record::Rollup& rollup) {
            record::TrafficTotals& one = hour[std::string(rollup.key.label)];
            one.requests += rollup.requests;
            one.failures += rollup.failures;
            (void)one.latency.merge_encoded(rollup.latency);
        });
    if (!read) return std::unexpected(read.error());
    return hour;
}

}  // namespace

std::span<const Route> routes() {
    return kRoutes;
}

Router::Router(Backend backend, std::string token)
    : backend_(std::move(backend)), guard_(std::move(token)), findings_(backend_.open_source) {}

bool Router::is_quick(const Request& request) const {
    const Found found = find(request);
    return found.route == nullptr || found.route->quick;
}

bool Router::is_tail(const Request& request) {
    return request.method == "GET" && request.path == "/api/tail";
}

Response Router::answer(const Request& request) {
    const auto respond = [&]() -> Response {
        const Found found = find(request);
        // Load balancers ask for health by any name; there is nothing to read in it.
        const bool health = request.path == "/healthz" || request.path == "/readyz";
        if (!health) {
            if (auto refused = guard_.refuse_page(request)) return std::move(*refused);
        }
        if (!found.allowed.empty()) {
            Response response = Response::error(405, "only " + found.allowed + " is served here");
            response.fields.emplace_back("Allow", found.allowed);
            return response;
        }
        if (found.route == nullptr) {
            if (request.path.starts_with("/api/")) {
                return Response::error(404, "there is no " + request.path + "; see /openapi.json");
            }
            return dashboard_file(request);
        }
        if (!found.route->open && !guard_.admits(request, std::chrono::steady_clock::now())) {
            Response response = Response::error(401, "a token is needed");
            response.fields.emplace_back("WWW-Authenticate", "Bearer");
            return response;
        }
        return dispatch(request, found.route->path, found.last);
    };
    Response response = respond();
    harden(response);
    return response;
}

Response Router::dispatch(const Request& request, std::string_view path, std::string_view last) {
    const base::WallTime now = base::SystemClock().wall_now();
    if (path == "/healthz") return {.type = "text/plain", .body = "ok\n"};
    if (path == "/readyz") {
        if (backend_.status().draining) {
            return {.status = 503, .type = "text/plain", .body = "draining\n"};
        }
        return {.type = "text/plain", .body = "ready\n"};
    }
    if (path == "/metrics") {
        return {.type = "text/plain; version=0.0.4", .body = backend_.metrics()};
    }
    if (path == "/openapi.json") return Response::json(std::string(openapi()));
    if (path == "/api/status") return status(request);
    if (path == "/api/login") return log_in(request);
    if (path == "/api/logout") {
        if (!guard_.demands_token()) return Response::error(404, "no token is demanded here");
        return guard_.log_out(request);
    }
    if (path == "/api/traffic") {
        return with_source([&](auto& source) { return answer_traffic(request, source, now); });
    }
    if (path == "/api/rays/{ray}") {
        // On loopback every user of the machine may ask, and the records are for one alone.
        if (request.parameter("secrets") == "1" && !guard_.demands_token()) {
            return Response::error(403,
                                   "secrets are shown only where a token is demanded; or use "
                                   "edgecase ray --show-secrets");
        }
        return with_source([&](auto& source) { return answer_ray(request, last, source); });
    }
    if (path == "/api/cases") {
        return with_source([&](auto& source) { return answer_cases(request, source, now); });
    }
    if (path == "/api/causes/{name}") return answer_cause(last);
    if (path == "/api/findings") return findings_.answer();
    if (path == "/api/nodes") {
        return with_source([&](auto& source) { return answer_nodes(source, now); });
    }
    if (path == "/api/origins") return origins();
    if (path == "/api/origins/http2") return put_http2(request);
    if (path == "/api/switches") {
        return request.method == "PUT" ? put_switches(request) : switches();
    }
    return {.type = "text/event-stream", .body = ""};  // /api/tail
}

std::shared_ptr<TailHub::Watcher> Router::watch(const Request& request) {
    const bool all = request.parameter("only") == "all";
    return backend_.tail->watch(all ? TailHub::Wanted::all : TailHub::Wanted::cases);
}

/// The file stays open; one that went away or was replaced is opened again.
Response Router::with_source(const std::function<Response(record::Source&)>& ask) {
    for (int round = 0; round < 2; ++round) {
        if (!source_) {
            auto opened = backend_.open_source();
            if (!opened) return Response::error(503, opened.error());
            source_ = std::move(*opened);
        }
        Response response = ask(*source_);
        add_missing(response, *source_);
        if (response.status != 503) return response;
        source_.reset();
        if (round == 1) return response;
    }
    return Response::error(503, "the record store cannot be read");
}

Response Router::status(const Request& request) {
    const EdgeStatus now = backend_.status();
    Json json{{"version", now.version}, {"requires_token", guard_.demands_token()}};
    if (guard_.admits(request, std::chrono::steady_clock::now())) {
        json["colo"] = now.colo;
        json["started"] = record::rfc3339(now.started);
        json["now"] = record::rfc3339(base::SystemClock().wall_now());
        json["profile"] = now.profile;
        json["draining"] = now.draining;
        json["records"] = {{"written", now.records_written},
                           {"cases", now.cases_written},
                           {"dropped", now.records_dropped},
                           {"recorded", now.recorded},
                           {"store", now.store},
                           {"retention_hours", now.retention.count()}};
    }
    return Response::json(json.dump() + "\n");
}

Response Router::origins() {
    std::vector<OriginState> states = backend_.origins();
    const auto fill = [&](record::Source& source) -> Response {
        auto hour = last_hour(source, backend_.node);
        if (!hour) return Response::error(503, hour.error());
        for (OriginState& one : states) {
            const record::TrafficTotals& found = (*hour)[one.url];
            one.requests = found.requests;
            one.failures = found.failures;
            one.p50_us = found.latency.percentile_us(0.5);
            one.p95_us = found.latency.percentile_us(0.95);
        }
        return Response::json(origins_json(states));
    };
    Response response = with_source(fill);
    // A store that cannot be read costs the figures, not the switches.
    return response.status == 200 ? std::move(response) : Response::json(origins_json(states));
}

Response Router::put_http2(const Request& request) {
    const auto order = parse_http2_order(request.body);
    if (!order) return Response::error(400, order.error());
    if (!backend_.switch_http2(*order)) {
        return Response::error(404, "there is no origin " + order->origin);
    }
    return origins();
}

Response Router::switches() {
    const EdgeStatus now = backend_.status();
    const Json json{
        {"draining", now.draining}, {"profile", now.profile}, {"profiles", now.profiles}};
    return Response::json(json.dump() + "\n");
}

Response Router::put_switches(const Request& request) {
    const auto order = Json::parse(request.body, nullptr, false);
    const bool known = order.is_object() && !order.empty() &&
                       std::ranges::all_of(order.items(), [](const auto& one) {
                           return (one.key() == "draining" && one.value().is_boolean()) ||
                                  (one.key() == "profile" && one.value().is_string());
                       });
    if (!known) {
        return Response::error(
            400, R"(the body must be {"draining": true or false} or {"profile": "NAME"} or both)");
    }
    if (const auto profile = order.find("profile"); profile != order.end()) {
        const auto name = profile->template get<std::string>();
        const EdgeStatus now = backend_.status();
        if (std::ranges::find(now.profiles, name) == now.profiles.end()) {
            return Response::error(404, "there is no profile " + name);
        }
        if (const auto done = backend_.set_profile(name); !done) {
            return Response::error(409, done.error());
        }
    }
    if (const auto draining = order.find("draining"); draining != order.end()) {
        backend_.drain(draining->template get<bool>());
    }
    return switches();
}

Response Router::log_in(const Request& request) {
    if (!guard_.demands_token()) return Response::error(404, "no token is demanded here");
    const auto json = Json::parse(request.body, nullptr, false);
    const bool good = json.is_object() && json.contains("token") && json["token"].is_string();
    if (!good) return Response::error(400, R"(the body must be {"token": "..."})");
    return guard_.log_in(json["token"].template get<std::string>(), request.peer,
                         std::chrono::steady_clock::now());
}

}  // namespace edgecase::admin
