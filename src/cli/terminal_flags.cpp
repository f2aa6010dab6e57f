#include "cli/terminal_flags.hpp"

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/ledger_flags.hpp"
#include "cli/tail.hpp"
#include "cli/top.hpp"
#include "cli/traffic.hpp"

namespace edgecase::cli {
namespace {

void add_traffic(CLI::App& app, int& status) {
    auto flags = std::make_shared<TrafficFlags>();
    CLI::App* const traffic = app.add_subcommand(
        "traffic", "How many requests, what became of them, how quick they were");
    add_ledger(*traffic, flags->ledger);
    traffic
        ->add_option("--since", flags->since,
                     "From when: so long ago, e.g. 15m, 2h or 7d, or a time in UTC")
        ->capture_default_str();
    traffic->add_option("--until", flags->until, "To when, the same; default now");
    traffic->add_option("--by", flags->by, "What is told apart: cause, status, host or origin")
        ->capture_default_str();
    traffic->add_option("--host", flags->host, "Only this host");
    traffic->add_option("--origin", flags->origin, "Only this origin's URL");
    traffic->add_option("--cause", flags->cause, "Only this cause, or a phase: resp, connect");
    traffic->add_option("--status", flags->status, "Only this edge status")
        ->check(CLI::Range(100, 599));
    traffic->add_flag("--json", flags->json, "Machine-readable");
    traffic->callback([flags, &status] { status = run_traffic(*flags); });
}

void add_top(CLI::App& app, int& status) {
    auto flags = std::make_shared<TopFlags>();
    CLI::App* const top = app.add_subcommand("top", "The traffic of the last minutes, live");
    add_ledger(*top, flags->ledger);
    top->add_option("--interval", flags->interval, "From one look to the next")
        ->capture_default_str();
    top->add_option("--window", flags->window, "So much of the past is summed up")
        ->capture_default_str();
    top->add_option("--by", flags->by,
                    "What is told apart at first: cause, status, host, origin or path")
        ->capture_default_str();
    top->add_flag("--once", flags->once, "Print it once, and end; so without a terminal");
    top->add_flag("--json", flags->json, "An object a line, one at each look");
    top->callback([flags, &status] { status = run_top(*flags); });
}

void add_tail(CLI::App& app, int& status) {
    auto flags = std::make_shared<TailFlags>();
    CLI::App* const tail =
        app.add_subcommand("tail", "The last failures, and those that follow as they come");
    add_ledger(*tail, flags->ledger);
    tail->add_option("--cause", flags->cause, "Only this cause, or a phase: resp, connect");
    tail->add_option("--status", flags->status, "Only this edge status")
        ->check(CLI::Range(100, 599));
    tail->add_option("--host", flags->host, "Only this host");
    tail->add_option("--path", flags->path, "Only paths that begin so");
    tail->add_option("--since", flags->since, "None that began before, e.g. 5m, or a time in UTC");
    tail->add_option("--lines", flags->lines, "So many of the last ones first")
        ->check(CLI::Range(0, 10000))
        ->capture_default_str();
    tail->add_flag("--no-follow", flags->no_follow, "End after the last ones");
    tail->add_flag("--json", flags->json, "A case a line");
    tail->add_flag("--show-secrets", flags->show_secrets,
                   "Do not redact cookies, credentials and tokens");
    tail->callback([flags, &status] { status = run_tail(*flags); });
}

}  // namespace

void add_terminal(CLI::App& app, int& status) {
    add_traffic(app, status);
    add_top(app, status);
    add_tail(app, status);
}

}  // namespace edgecase::cli
