// Owns `edgecase traffic`: how many requests there were, what became of them, how quick they were.
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "cli/ledger.hpp"
#include "record/traffic.hpp"

namespace edgecase::cli {

struct TrafficFlags {
    LedgerFlags ledger;
    std::string since = "1h";  // a duration back from now, or a time; so `until`
    std::string until;         // empty: now
    std::string by = "cause";
    std::string host;
    std::string origin;
    std::string cause;
    int status = 0;
    bool json = false;
};
int run_traffic(const TrafficFlags& flags);

}  // namespace edgecase::cli
