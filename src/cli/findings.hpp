// Owns `edgecase findings`: what the failures in the records have in common.
#pragma once

#include <string>

#include "cli/ledger.hpp"

namespace edgecase::cli {

struct FindingsFlags {
    LedgerFlags ledger;
    std::string since;  // a duration back from now
    bool json = false;
};
int run_findings(const FindingsFlags& flags);

}  // namespace edgecase::cli
