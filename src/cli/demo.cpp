#include "cli/demo.hpp"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "cause/table.hpp"
#include "cli/console.hpp"
#include "cli/exit_status.hpp"
#include "cli/serve.hpp"
#include "cli/service.hpp"
#include "cli/terminal_text.hpp"
#include "cli/tour_client.hpp"
#include "config/load.hpp"
#include "lab/lab.hpp"
#include "lab/scenario.hpp"

namespace edgecase::cli {
namespace {

using lab::Scenario;
using lab::Target;

constexpr unsigned kGuides = 8;  // scenarios mostly wait for timeouts: several go at once

struct Stop {
    const Scenario* scenario;
    TourReply reply;
    std::string claimed;  // empty: no record was found
    std::string problem;  // empty: what was promised came true
};

/// Needs an edge of its own: another resolver, or settings the rest must not run with.
bool is_special(const Scenario& scenario) {
    return scenario.target == Target::resolver_down || !scenario.edge_config.empty();
}

std::string origin_url(const Scenario& scenario, const lab::Ports& ports) {
    const ip::Endpoint& at = ports.origin(scenario.target);
    const std::string host =
        scenario.host.empty() ? at.address.to_string() : std::string(scenario.host);
    return "http://" + host + ":" + std::to_string(at.port);
}

config::Overrides overrides(const std::string& listen, const std::string& data_dir,
                            const std::string& origin, const ip::Endpoint* resolver) {
    config::Overrides values;
    values.listen = listen;
    values.admin = "127.0.0.1:0";
    values.data_dir = data_dir;
    values.origin = origin;
    values.workers = "1";  // reuse scenarios need the second request where the first one was
    values.connect_timeout = "1s";
    values.ack_timeout = "2s";
    values.read_timeout = "2s";
    values.write_timeout = "2s";
    if (resolver != nullptr) values.resolver = resolver->to_string();
    return values;
}

std::expected<std::unique_ptr<Service>, std::string> start_edge(const std::string& toml,
                                                                const config::Overrides& values) {
    auto settings = config::load(toml, "demo", values);
    if (!settings) return std::unexpected(settings.error().to_string());
    return Service::start(std::move(*settings));
}

/// The record may take a moment to become readable.
std::string claimed_cause(const std::string& data_dir, const std::string& ray_text) {
    const auto ray = record::RayId::parse(ray_text);
    for (int i = 0; ray && i < 40; ++i) {
        const auto source = store::open_source(data_dir);
        if (source) {
            const auto found = (*source)->find(*ray);
            if (found && *found) return std::string(cause::row((*found)->cause).name);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return "";
}

TourRequest request_of(const Scenario& scenario) {
    return {scenario.method, scenario.request_path(), scenario.request_headers,
            scenario.request_body_bytes};
}

Stop visit(const Scenario& scenario, const ip::Endpoint& edge, const std::string& data_dir) {
    Stop stop{&scenario, {}, {}, {}};
    std::jthread warming;
    if (!scenario.warmup_path.empty()) {
        const TourRequest warmup{"GET", std::string(scenario.warmup_path), {}, 0};
        if (scenario.warmup_in_flight) {
            warming = std::jthread([&edge, warmup] {
                [[maybe_unused]] const auto reply = tour_request(edge, warmup);
            });
            std::this_thread::sleep_for(std::chrono::milliseconds(200));
        } else {
            [[maybe_unused]] const auto reply = tour_request(edge, warmup);
        }
    }
    const auto reply = tour_request(edge, request_of(scenario));
    if (!reply) {
        stop.problem = reply.error();
        return stop;
    }
    stop.reply = *reply;
    stop.claimed = claimed_cause(data_dir, reply->ray);
    const std::string_view truth = cause::row(scenario.cause).name;
    if (stop.claimed.empty()) {
        stop.problem = "no record";
    } else if (stop.claimed != truth) {
        stop.problem = "misnamed: truly " + std::string(truth);
    } else if (reply->status != scenario.status) {
        stop.problem = "expected status " + std::to_string(scenario.status);
    } else if (reply->aborted != scenario.aborts_client) {
        stop.problem =
            scenario.aborts_client ? "the connection was not cut" : "the connection was cut";
    }
    return stop;
}

Stop visit_special(const Scenario& scenario, const lab::Ports& ports, const std::string& data_dir) {
    Stop stop{&scenario, {}, {}, {}};
    const std::string own_dir = data_dir + "/" + std::string(scenario.name);
    auto values = overrides("127.0.0.1:0", own_dir, origin_url(scenario, ports),
                            ports.resolver(scenario.target));
    const auto edge = start_edge(std::string(scenario.edge_config), values);
    if (!edge) {
        stop.problem = edge.error();
        return stop;
    }
    return visit(scenario, (*edge)->edge_address(), own_dir);
}

std::vector<Stop> tour(const lab::Ports& ports, const Service& edge, const std::string& data_dir) {
    std::vector<const Scenario*> plain;
    std::vector<const Scenario*> alone;
    for (const Scenario& scenario : lab::scenarios()) {
        if (scenario.target == Target::network) continue;
        // What depends on the pool's state must not share it with others.
        const bool quiet = !is_special(scenario) && scenario.target != Target::reuse;
        (quiet ? plain : alone).push_back(&scenario);
    }
    std::vector<Stop> stops;
    for (const Scenario* scenario : alone) {
        stops.push_back(is_special(*scenario) ? visit_special(*scenario, ports, data_dir)
                                              : visit(*scenario, edge.edge_address(), data_dir));
    }
    const size_t first = stops.size();
    stops.resize(first + plain.size());
    std::atomic<size_t> next = 0;
    {
        std::vector<std::jthread> guides;
        for (unsigned i = 0; i < kGuides; ++i) {
            guides.emplace_back([&] {
                for (size_t at = next++; at < plain.size(); at = next++) {
                    stops[first + at] = visit(*plain[at], edge.edge_address(), data_dir);
                }
            });
        }
    }
    // In the order of the lab's list, whatever order they were visited in.
    std::ranges::sort(stops, {}, [](const Stop& stop) { return stop.scenario; });
    return stops;
}

std::string table_text(const std::vector<Stop>& stops, bool colour) {
    const Painter paint(colour);
    Table table({"SCENARIO", "STATUS", "RAY ID", "CAUSE", "WHY"});
    for (const Stop& stop : stops) {
        const bool fine = stop.problem.empty();
        std::string status = std::to_string(stop.reply.status);
        if (stop.reply.aborted) status += " cut";
        const auto cause = cause::parse_cause(stop.claimed);
        const std::string why =
            fine ? std::string(cause::row(cause.value_or(cause::Cause::none)).reason)
                 : stop.problem;
        table.add({std::string(stop.scenario->name),
                   status,
                   stop.reply.ray,
                   {stop.claimed, fine ? Colour::green : Colour::red},
                   fine ? Table::Cell(fitted(why, 90)) : Table::Cell(why, Colour::red)});
    }
    return table.text(paint, 0);
}

long in_namespaces() {
    return std::ranges::count(lab::scenarios(), Target::network, &Scenario::target);
}

std::string tour_json(const std::vector<Stop>& stops) {
    nlohmann::ordered_json rows = nlohmann::ordered_json::array();
    for (const Stop& stop : stops) {
        rows.push_back({{"scenario", stop.scenario->name},
                        {"status", stop.reply.status},
                        {"aborted", stop.reply.aborted},
                        {"ray_id", stop.reply.ray},
                        {"cause", stop.claimed},
                        {"true_cause", cause::row(stop.scenario->cause).name},
                        {"problem", stop.problem}});
    }
    return rows.dump(2) + "\n";
}

/// The demo's configuration: each scenario's path leads to the port where it happens.
config::Overrides demo_overrides(const DemoFlags& flags, const lab::Ports& ports,
                                 const std::string& data_dir) {
    const ip::Endpoint* const resolver = ports.resolver(Target::dns);
    config::Overrides values =
        overrides(flags.listen, data_dir, "http://" + ports.main.to_string(), resolver);
    for (const Scenario& scenario : lab::scenarios()) {
        if (scenario.target == Target::main || scenario.target == Target::network ||
            is_special(scenario)) {
            continue;
        }
        const std::string url = origin_url(scenario, ports);
        for (const std::string& path :
             {scenario.request_path(), std::string(scenario.warmup_path)}) {
            const std::string route = path + "=" + url;
            const bool known = std::ranges::find(values.routes, route) != values.routes.end();
            if (!path.empty() && !known) values.routes.push_back(route);
        }
    }
    return values;
}

}  // namespace

int run_demo(const DemoFlags& flags) {
    block_signals();
    std::string data_dir = flags.data_dir;
    if (data_dir.empty()) {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "edgecase-demo-XXXXXX").string();
        if (mkdtemp(pattern.data()) == nullptr) {
            complain("cannot make a temporary directory " + pattern);
            return kUsage;
        }
        data_dir = pattern;
    }
    auto lab = lab::Lab::start({});
    if (!lab) {
        complain(lab.error());
        return kUsage;
    }
    const lab::Ports& ports = (*lab)->ports();
    auto edge = start_edge("", demo_overrides(flags, ports, data_dir));
    if (!edge) {
        complain(edge.error());
        return kUsage;
    }
    const std::string url = "http://" + (*edge)->edge_address().to_string();
    if (!flags.json) {
        print("edge " + url + "   lab http://" + ports.main.to_string() + "   records " + data_dir +
              "\n\nThe tour requests every scenario; timeouts take some seconds.\n\n");
    }
    const std::vector<Stop> stops = tour(ports, **edge, data_dir);
    const auto wrong =
        std::ranges::count_if(stops, [](const Stop& stop) { return !stop.problem.empty(); });
    if (flags.json) {
        print(tour_json(stops));
    } else {
        print(table_text(stops, wants_colour()));
        print(
            "\n" + std::to_string(stops.size()) + " scenarios, " +
            std::to_string(static_cast<size_t>(stops.size()) - static_cast<size_t>(wrong)) +
            " named rightly, " + std::to_string(wrong) + " not. " +
            std::to_string(in_namespaces()) +
            " more need a network namespace with a firewall:\n`edgecase lab --list` shows them, " +
            "`./dev test` runs them.\n");
    }
    if (!flags.once) {
        print("\nTry it: open " + url + "/resp.empty_fin in a browser, then\n  edgecase ray RAY " +
              "--data-dir " + data_dir + "\nCtrl-C ends.\n");
        wait_for_end();
    }
    edge->reset();
    lab->reset();
    if (flags.data_dir.empty()) {
        std::error_code ignored;
        std::filesystem::remove_all(data_dir, ignored);
    }
    return flags.once && wrong > 0 ? kWrongOrMissing : kFine;
}

}  // namespace edgecase::cli
