#include "cli/ranges_flags.hpp"

#include <CLI/CLI.hpp>
#include <memory>

#include "allowlist/render.hpp"
#include "cli/ranges.hpp"
#include "cli/ranges_sync.hpp"

namespace edgecase::cli {
namespace {

constexpr const char* kCaText = "PEM file of the authorities to trust; default the system's";

void add_list(CLI::App& ranges, int& status) {
    auto flags = std::make_shared<RangesListFlags>();
    CLI::App* const list = ranges.add_subcommand("list", "The edge's published ranges");
    list->add_option("--ranges", flags->ranges, "Read them from this file, text or the API's JSON");
    list->add_option("--url", flags->url, "Fetch them, over https");
    list->add_option("--ca", flags->ca, kCaText);
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
    check->add_flag(
        "--no-includes", flags->no_includes,
        "Follow no include of a web server's files on this machine, only among --rules");
    check->add_flag("--json", flags->json, "One row for each range and port");
    check->callback([flags, &status] { status = run_ranges_check(*flags); });
}

std::string formats_text() {
    std::string text = "What is written:";
    for (const auto& format : allowlist::render_formats()) {
        text += "\n" + std::string(format.name) + ": " + std::string(format.what);
    }
    return text;
}

void add_render(CLI::App& ranges, int& status) {
    auto flags = std::make_shared<RangesRenderFlags>();
    CLI::App* const render = ranges.add_subcommand("render", "The ranges as an allow-list");
    render->add_option("--format", flags->format, formats_text())->required();
    render->add_option("--ranges", flags->ranges, "File of the ranges; default the list built in");
    render->add_option("--port", flags->ports, "May be repeated; 80 and 443 unless given")
        ->check(CLI::Range(1, 65535));
    render->callback([flags, &status] { status = run_ranges_render(*flags); });
}

void add_sync(CLI::App& ranges, int& status) {
    auto flags = std::make_shared<RangesSyncFlags>();
    CLI::App* const sync = ranges.add_subcommand("sync", "Keep an allow-list in a file up to date");
    sync->add_option("--to", flags->to, "The file; what it had is kept")->required();
    sync->add_option("--format", flags->format, formats_text())->required();
    sync->add_option("--from", flags->from,
                     "URL (https) or file, may be repeated; default the API");
    sync->add_option("--ca", flags->ca, kCaText);
    sync->add_option("--port", flags->ports, "May be repeated; 80 and 443 unless given")
        ->check(CLI::Range(1, 65535));
    sync->add_option("--reload", flags->reload,
                     "Command to run once it is written, without a shell; if it fails,\n"
                     "the file is put back and reloaded; a run that was killed before\n"
                     "leaves it to the next");
    sync->add_option("--state", flags->state,
                     "Folder for the last good copy, and for a reload that is owed; default\n"
                     "systemd's STATE_DIRECTORY, else dotfiles beside the file");
    sync->add_flag("--dry-run", flags->dry_run, "Show what would change; exit 1 if anything would");
    sync->add_flag("--force", flags->force, "Take a list that lost most ranges or has odd ones");
    sync->callback([flags, &status] { status = run_ranges_sync(*flags); });
}

}  // namespace

void add_ranges(CLI::App& app, int& status) {
    CLI::App* const ranges =
        app.add_subcommand("ranges", "The edge's published ranges against an origin's firewall");
    ranges->require_subcommand(1);
    add_list(*ranges, status);
    add_check(*ranges, status);
    add_render(*ranges, status);
    add_sync(*ranges, status);
}

}  // namespace edgecase::cli
