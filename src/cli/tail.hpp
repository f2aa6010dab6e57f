// Owns `edgecase tail`: failures as they come.
#pragma once

#include <cstddef>
#include <string>

#include "cli/ledger.hpp"

namespace edgecase::cli {

struct TailFlags {
    LedgerFlags ledger;
    std::string cause;
    std::string host;
    std::string path;
    std::string since;  // a duration back from now, or a time: none of the last ones is older
    int status = 0;
    size_t lines = 10;
    bool json = false;
    bool show_secrets = false;
    bool no_follow = false;
};
int run_tail(const TailFlags& flags);

}  // namespace edgecase::cli
