#include "cli/ledger_flags.hpp"

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/ledger_command.hpp"

namespace edgecase::cli {

void add_ledger(CLI::App& app, LedgerFlags& flags) {
    app.add_option("--data-dir", flags.data_dir,
                   "Where the edge keeps its records; default edgecase-data");
    app.add_option("--config", flags.config,
                   "An edge's TOML file: its data_dir, or the [ledger] of many edges");
    app.add_option("--node", flags.node, "Only what this edge recorded, of a ledger of many");
}

void add_ledger_command(CLI::App& app, int& status) {
    CLI::App* const ledger =
        app.add_subcommand("ledger", "Where the records of many edges come together");
    ledger->require_subcommand(1);
    const auto add = [&](const char* name, const char* help, int (*run)(const LedgerCommandFlags&),
                         auto&& more) {
        auto flags = std::make_shared<LedgerCommandFlags>();
        CLI::App* const command = ledger->add_subcommand(name, help);
        command->add_option("--config", flags->config, "TOML file with a [ledger]")->required();
        command->add_flag("--json", flags->json, "Machine-readable");
        more(command, *flags);
        command->callback([flags, run, &status] { status = run(*flags); });
    };
    add("init", "Make its tables in ClickHouse, or bring them up to date", run_ledger_init,
        [](CLI::App* command, LedgerCommandFlags& flags) {
            command->add_option("--cluster", flags.cluster,
                                "Replicated and distributed tables on the servers of this name; "
                                "default ledger.cluster");
            command->add_flag("--print", flags.print, "Only print the statements");
        });
    add("status", "Which edges write to it, and whether all of it answers", run_ledger_status,
        [](CLI::App*, LedgerCommandFlags&) {});
    add("trim", "Drop what is older than is kept, as each edge does every hour", run_ledger_trim,
        [](CLI::App*, LedgerCommandFlags&) {});
}

}  // namespace edgecase::cli
