#include "cli/demo.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
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

// Short, as those of overrides() are.
constexpr std::string_view kTimeouts =
    "timeouts.tls_handshake = \"2s\"\ntimeouts.h2_settings = \"2s\"\n";

// Long enough for a busy machine to kill a process whose first bytes are held back.
constexpr std::string_view kHoldBack = "limits.hold_back_time = \"400ms\"\n";

/// Needs an edge of its own: another resolver, or settings the rest must not run with.
bool is_special(const Scenario& scenario) {
    return scenario.target == Target::resolver_down || !scenario.edge_config.empty() ||
           !scenario.origin_name.empty();
}

/// Depends on connections that others must not share.
bool is_pooled(const Scenario& scenario) {
    return scenario.target == Target::reuse || scenario.target == Target::tls_reuse ||
           scenario.target == Target::h2;
}

std::string origin_url(const Scenario& scenario, const lab::Ports& ports) {
    const ip::Endpoint& at = ports.origin(scenario);
    const std::string host =
        scenario.host.empty() ? at.address.to_string() : std::string(scenario.host);
    return (scenario.is_tls() ? "https://" : "http://") + host + ":" + std::to_string(at.port);
}

config::Overrides overrides(const std::string& listen, const std::string& data_dir,
                            const std::string& origin, const ip::Endpoint* resolver,
                            const lab::Ports& ports) {
    config::Overrides values;
    values.listen = listen;
    values.admin = "127.0.0.1:0";
    values.data_dir = data_dir;
    values.origin = origin;
    values.origin_ca = ports.ca_file();
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
                            ports.resolver(scenario.target), ports);
    if (!scenario.origin_name.empty()) values.origin_name = std::string(scenario.origin_name);
    const auto edge = start_edge(std::string(kTimeouts) + ports.edge_config(scenario), values);
    if (!edge) {
        stop.problem = edge.error();
        return stop;
    }
    return visit(scenario, (*edge)->edge_address(), own_dir);
}

/// The visits, on threads of their own, so that the caller can watch for the end meanwhile.
class Tour {
  public:
    Tour(const lab::Ports& ports, const Service& edge, const std::string& data_dir)
        : ports_(ports), edge_(edge), data_dir_(data_dir) {
        for (const Scenario& scenario : lab::scenarios()) {
            if (scenario.target == Target::network) continue;
            const bool quiet = !is_special(scenario) && !is_pooled(scenario);
            (quiet ? plain_ : alone_).push_back(&scenario);
        }
    }

    size_t size() const { return plain_.size() + alone_.size(); }
    size_t done() const { return done_; }

    /// Visits every scenario. nullopt: a signal ended it between two visits.
    std::optional<std::vector<Stop>> run() {
        std::vector<Stop> stops(size());
        {
            const std::jthread leader([&] { lead(stops); });
            while (!finished_) {
                if (end_wanted(std::chrono::milliseconds(100))) ended_ = true;
                if (!is_watched()) continue;
                note("\r" + std::to_string(done()) + "/" + std::to_string(size()) + " scenarios" +
                     (ended_ ? ", ending" : "") + "\x1b[K");
            }
        }
        if (is_watched()) note("\r\x1b[K");
        if (ended_) return std::nullopt;
        // In the order of the lab's list, whatever order they were visited in.
        std::ranges::sort(stops, {}, [](const Stop& stop) { return stop.scenario; });
        return stops;
    }

  private:
    void lead(std::vector<Stop>& stops) {
        for (size_t at = 0; at < alone_.size() && !ended_; ++at, ++done_) {
            const Scenario& scenario = *alone_[at];
            stops[at] = is_special(scenario) ? visit_special(scenario, ports_, data_dir_)
                                             : visit(scenario, edge_.edge_address(), data_dir_);
        }
        {
            std::atomic<size_t> next = 0;
            std::vector<std::jthread> guides;
            for (unsigned i = 0; i < kGuides; ++i) {
                guides.emplace_back([&] {
                    for (size_t at = next++; at < plain_.size() && !ended_; at = next++, ++done_) {
                        stops[alone_.size() + at] =
                            visit(*plain_[at], edge_.edge_address(), data_dir_);
                    }
                });
            }
        }
        finished_ = true;
    }

    const lab::Ports& ports_;
    const Service& edge_;
    const std::string& data_dir_;
    std::vector<const Scenario*> plain_;
    std::vector<const Scenario*> alone_;
    std::atomic<size_t> done_ = 0;
    std::atomic<bool> ended_ = false;
    std::atomic<bool> finished_ = false;
};

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

class TemporaryDirectory {
  public:
    TemporaryDirectory() = default;
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory() {
        if (!made_) return;
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    /// False: errno says why not, path() where.
    bool make() {
        const char* const wanted = std::getenv("TMPDIR");
        const bool is_set = wanted != nullptr && *wanted != '\0';
        path_ = std::string(is_set ? wanted : "/tmp") + "/edgecase-demo-XXXXXX";
        made_ = mkdtemp(path_.data()) != nullptr;
        return made_;
    }
    const std::string& path() const { return path_; }

  private:
    std::string path_;
    bool made_ = false;
};

/// The demo's configuration: each scenario's path leads to the port where it happens.
config::Overrides demo_overrides(const DemoFlags& flags, const lab::Ports& ports,
                                 const std::string& data_dir) {
    const ip::Endpoint* const resolver = ports.resolver(Target::dns);
    config::Overrides values =
        overrides(flags.listen, data_dir, "http://" + ports.main.to_string(), resolver, ports);
    for (const Scenario& scenario : lab::scenarios()) {
        if (scenario.target == Target::main || scenario.target == Target::network ||
            is_special(scenario)) {
            continue;
        }
        const std::string url = origin_url(scenario, ports);
        for (const std::string& path :
             {scenario.request_path(), std::string(scenario.warmup_path)}) {
            std::string route = path;
            route.append("=").append(url);
            const bool known = std::ranges::find(values.routes, route) != values.routes.end();
            if (!path.empty() && !known) values.routes.push_back(route);
        }
    }
    return values;
}

}  // namespace

int run_demo(const DemoFlags& flags) {
    block_signals();
    TemporaryDirectory own;
    if (flags.data_dir.empty() && !own.make()) {
        complain("cannot make a temporary directory " + own.path() + ": " +
                 std::generic_category().message(errno));
        return kUsage;
    }
    const std::string data_dir = flags.data_dir.empty() ? own.path() : flags.data_dir;
    auto lab = lab::Lab::start({});
    if (!lab) {
        complain(lab.error());
        return kUsage;
    }
    const lab::Ports& ports = (*lab)->ports();
    const auto edge = start_edge(std::string(kTimeouts).append(kHoldBack),
                                 demo_overrides(flags, ports, data_dir));
    if (!edge) {
        complain(edge.error());
        return kUsage;
    }
    // With --json, standard output holds one document.
    const auto say = [&](std::string_view text) { flags.json ? note(text) : print(text); };
    const std::string url = "http://" + (*edge)->edge_address().to_string();
    const std::string dashboard = "http://" + (*edge)->admin_address();
    say("edge " + url + "   lab http://" + ports.main.to_string() + "   dashboard " + dashboard +
        "\nrecords " + one_line(data_dir) +
        "\n\nThe tour requests every scenario; timeouts take some seconds.\n\n");
    Tour tour(ports, **edge, data_dir);
    const auto stops = tour.run();
    if (!stops) {
        complain("ended by a signal after " + std::to_string(tour.done()) + " of " +
                 std::to_string(tour.size()) + " scenarios");
        return flags.once ? kWrongOrMissing : kFine;
    }
    const auto wrong = static_cast<size_t>(
        std::ranges::count_if(*stops, [](const Stop& stop) { return !stop.problem.empty(); }));
    print(flags.json ? tour_json(*stops) : table_text(*stops, wants_colour()));
    say("\n" + std::to_string(stops->size()) + " scenarios, " +
        std::to_string(stops->size() - wrong) + " named rightly, " + std::to_string(wrong) +
        " not. " + std::to_string(in_namespaces()) +
        " more need a network namespace with a firewall:\n`edgecase lab --list` shows them, " +
        "`./dev test` runs them.\n");
    if (!flags.once) {
        say("\nTry it: open " + url +
            "/resp.empty_fin in a browser, then paste its Ray ID into the " + "dashboard,\n" +
            dashboard + ", or:\n  edgecase ray RAY --data-dir " + one_line(data_dir) +
            "\nCtrl-C ends.\n");
        wait_for_end();
    }
    return flags.once && wrong > 0 ? kWrongOrMissing : kFine;
}

}  // namespace edgecase::cli
