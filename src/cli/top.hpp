// Owns `edgecase top`: the traffic of the last minutes, live.
#pragma once

#include <string>

#include "cli/ledger.hpp"

namespace edgecase::cli {

struct TopFlags {
    LedgerFlags ledger;
    std::string interval = "2s";
    std::string window = "5m";
    std::string by = "cause";
    bool once = false;
    bool json = false;
};
int run_top(const TopFlags& flags);

}  // namespace edgecase::cli
