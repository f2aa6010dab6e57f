#include "lab/list.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace edgecase::lab {
namespace {

using Json = nlohmann::ordered_json;

/// `Name: value` lines as an array of pairs.
Json header_pairs(std::string_view lines) {
    Json pairs = Json::array();
    while (!lines.empty()) {
        const size_t end = lines.find("\r\n");
        const std::string_view line = lines.substr(0, end);
        lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 2);
        const size_t colon = line.find(": ");
        if (colon == std::string_view::npos) continue;
        pairs.push_back({line.substr(0, colon), line.substr(colon + 2)});
    }
    return pairs;
}

Json json_row(const Scenario& scenario, const Ports* ports) {
    std::string host(scenario.host);
    uint16_t port = 0;
    std::string resolver;
    std::string ca;
    std::string edge_config(scenario.edge_config);
    if (ports != nullptr) {
        const ip::Endpoint& origin = ports->origin(scenario);
        edge_config = ports->edge_config(scenario);
        if (scenario.is_tls()) ca = ports->ca_file();
        port = origin.port;
        if (host.empty()) host = origin.address.to_string();
        const ip::Endpoint* const name_server = ports->resolver(scenario.target);
        if (name_server != nullptr) resolver = name_server->to_string();
    }
    return {{"scenario", scenario.name},
            {"cause", cause::row(scenario.cause).name},
            {"status", scenario.status},
            {"aborts_client", scenario.aborts_client},
            {"description", scenario.description},
            {"target", to_string(scenario.target)},
            {"method", scenario.method},
            {"request_body_bytes", scenario.request_body_bytes},
            {"request_headers", header_pairs(scenario.request_headers)},
            {"path", scenario.request_path()},
            {"warmup_path", scenario.warmup_path},
            {"warmup_in_flight", scenario.warmup_in_flight},
            {"scheme", scenario.is_tls() ? "https" : "http"},
            {"host", host},
            {"port", port},
            {"ca", ca},
            {"origin_name", scenario.origin_name},
            {"resolver", resolver},
            {"setup_side", to_string(scenario.side)},
            {"setup", scenario.setup},
            {"teardown", scenario.teardown},
            {"edge_config", edge_config}};
}

std::string ports_text(const Ports& ports) {
    return fmt::format(
        "main {}  reuse {}  closed {}  full_queue {}  dns {}/udp  resolver_down {}/udp  tls {}  "
        "tls_reuse {}  h2 {}\nca {}\nown  a port each: see --json, or / with "
        "Accept: application/json\n\n",
        ports.main.to_string(), ports.reuse.to_string(), ports.closed.to_string(),
        ports.full_queue.to_string(), ports.dns.to_string(), ports.resolver_down.to_string(),
        ports.tls.to_string(), ports.tls_reuse.to_string(), ports.h2.to_string(), ports.ca_file());
}

}  // namespace

std::string list_text(const Ports* ports) {
    size_t name_width = 8;
    size_t cause_width = 5;
    for (const Scenario& scenario : scenarios()) {
        name_width = std::max(name_width, scenario.name.size());
        cause_width = std::max(cause_width, cause::row(scenario.cause).name.size());
    }
    std::string text = ports == nullptr ? "" : ports_text(*ports);
    text += fmt::format("{:<{}}  {:<{}}  {:<6}  {:<13}  {}\n", "SCENARIO", name_width, "CAUSE",
                        cause_width, "STATUS", "TARGET", "WHAT THE LAB DOES");
    for (const Scenario& scenario : scenarios()) {
        const std::string status =
            fmt::format("{}{}", scenario.status, scenario.aborts_client ? "+cut" : "");
        text += fmt::format("{:<{}}  {:<{}}  {:<7} {:<13}  {}\n", scenario.name, name_width,
                            cause::row(scenario.cause).name, cause_width, status,
                            to_string(scenario.target), scenario.description);
    }
    return text;
}

std::string list_json(const Ports* ports) {
    Json rows = Json::array();
    for (const Scenario& scenario : scenarios()) rows.push_back(json_row(scenario, ports));
    return rows.dump(2) + "\n";
}

}  // namespace edgecase::lab
