// Owns the flags that say which records are meant, and those of `edgecase ledger`.
#pragma once

#include "cli/ledger.hpp"

namespace CLI {
class App;
}

namespace edgecase::cli {

/// --data-dir, --config, --node.
void add_ledger(CLI::App& app, LedgerFlags& flags);
void add_ledger_command(CLI::App& app, int& status);

}  // namespace edgecase::cli
