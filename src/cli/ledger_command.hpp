// Owns `edgecase ledger`: making the tables of many edges' records, and looking after them.
#pragma once

#include <string>

namespace edgecase::cli {

struct LedgerCommandFlags {
    std::string config;
    std::string cluster;  // instead of the file's
    bool print = false;
    bool json = false;
};
int run_ledger_init(const LedgerCommandFlags& flags);
int run_ledger_status(const LedgerCommandFlags& flags);
int run_ledger_trim(const LedgerCommandFlags& flags);

}  // namespace edgecase::cli
