#include "cli/ranges_flags.hpp"

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/ranges.hpp"

namespace edgecase::cli {
namespace {

void add_list(CLI::App& ranges, int& status) {
    auto flags = std::make_shared<RangesListFlags>();
    CLI::App* const list = ranges.add_subcommand("list", "The edge's published ranges");
    list->add_option("--ranges", flags->ranges, "Read them from this file, text or the API's JSON");
    list->add_flag("--json", flags->json, "Machine-readable");
    list->callback([flags, &status] { status = run_ranges_list(*flags); });
}

void add_check(CLI::App& ranges, int& status) {
    auto flags = std::make_shared<RangesCheckFlags>();
    CLI::App* const check =
        ranges.add_subcommand("check", "Which ranges a firewall lets in, and which rule decides");
    check->add_option("--rules", flags->rules,
                      "Rule sets of one system, as its tools print them; - is standard input");
    check->add_flag("--live", flags->live, "Ask this machine's firewall");
    check->add_option("--format", flags->format, "What the files are, if it is not recognised");
    check->add_option("--port", flags->ports, "May be repeated; 80 and 443 unless given")
        ->check(CLI::Range(1, 65535));
    check->add_option("--ranges", flags->ranges,
                      "File of the ranges, text or the API's JSON; default the list built in");
    check->add_option("--interface", flags->interface_in,
                      "Where the edge's packets arrive, e.g. eth0");
    check->add_option("--destination", flags->destinations,
                      "The origin's own address, one of a family");
    check->add_flag("--json", flags->json, "One row for each range and port");
    check->callback([flags, &status] { status = run_ranges_check(*flags); });
}

}  // namespace

void add_ranges(CLI::App& app, int& status) {
    CLI::App* const ranges =
        app.add_subcommand("ranges", "The edge's published ranges against an origin's firewall");
    ranges->require_subcommand(1);
    add_list(*ranges, status);
    add_check(*ranges, status);
}

}  // namespace edgecase::cli
