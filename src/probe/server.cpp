#include <algorithm>
#include <array>

#include "base/ascii.hpp"
#include "probe/probes.hpp"

namespace edgecase::probe {
namespace {

/// What the first product of a Server field is called here.
struct Product {
    std::string_view token;  // lower-case
    std::string_view name;
};
constexpr std::array kProducts{
    Product{"nginx", "nginx"},         Product{"openresty", "nginx"},
    Product{"apache", "apache"},       Product{"caddy", "caddy"},
    Product{"microsoft-iis", "iis"},   Product{"kestrel", "kestrel"},
    Product{"gunicorn", "gunicorn"},   Product{"uvicorn", "uvicorn"},
    Product{"hypercorn", "hypercorn"}, Product{"werkzeug", "werkzeug"},
    Product{"waitress", "waitress"},   Product{"puma", "puma"},
    Product{"litespeed", "litespeed"}, Product{"envoy", "envoy"},
    Product{"haproxy", "haproxy"},     Product{"varnish", "varnish"},
    Product{"nghttpd", "nghttpd"},     Product{"lighttpd", "lighttpd"},
    Product{"cowboy", "cowboy"},       Product{"jetty", "jetty"},
    Product{"awselb", "aws-alb"},      Product{"cloudflare", "cloudflare"},
    Product{"tomcat", "tomcat"},       Product{"apache-coyote", "tomcat"},
};

void take_server(Server& server, std::string_view value) {
    if (value.empty() || !server.name.empty()) return;
    const std::string_view first = value.substr(0, value.find_first_of(" ("));
    const size_t slash = first.find('/');
    const std::string token = base::to_lower(first.substr(0, slash));
    // The longer token first: apache-coyote is not apache.
    for (const Product& one : kProducts) {
        if (token != one.token) continue;
        server.name = one.name;
        if (slash != std::string_view::npos) server.version = first.substr(slash + 1);
        server.signs.push_back("Server: " + std::string(value.substr(0, 100)));
        return;
    }
}

void take_powered_by(Server& server, std::string_view value) {
    if (value.empty() || !server.behind.empty()) return;
    const std::string lower = base::to_lower(value);
    if (lower.starts_with("php")) server.behind = "php";
    if (lower.starts_with("express") || lower.starts_with("next.js")) server.behind = "node";
    if (lower.starts_with("asp.net")) server.behind = "asp.net";
    if (!server.behind.empty()) {
        server.signs.push_back("X-Powered-By: " + std::string(value.substr(0, 100)));
    }
}

/// Node names itself nowhere; its order and spelling of fields are its own.
bool looks_like_node(const origin::OwnAnswer& answer) {
    return answer.value_of("server").empty() && answer.value_of("via").empty() &&
           answer.value_of("keep-alive").starts_with("timeout=") &&
           answer.value_of("connection") == "keep-alive";
}

}  // namespace

void recognise_server(Session& session) {
    Server& server = session.facts().server;
    for (const Trial& trial : session.trials()) {
        if (!trial.answer.head_whole) continue;
        take_server(server, trial.answer.value_of("server"));
        take_powered_by(server, trial.answer.value_of("x-powered-by"));
        if (server.name.empty() && server.behind.empty() && looks_like_node(trial.answer)) {
            server.name = "node";
            server.signs.emplace_back("no Server field, and the Keep-Alive field of Node's http");
        }
    }
    if (server.name.empty() && server.behind == "node") server.name = "node";
}

}  // namespace edgecase::probe
