// Owns the commands that read: `ray`, `cases` and `explain`.
#pragma once

#include <string>

#include "cli/ledger.hpp"

namespace edgecase::cli {

struct RayFlags {
    std::string ray;
    LedgerFlags ledger;
    bool json = false;
    bool show_secrets = false;
};
int run_ray(const RayFlags& flags);

struct CasesFlags {
    LedgerFlags ledger;
    std::string since;  // a duration back from now
    std::string cause;
    std::string host;
    std::string path;
    int status = 0;
    size_t limit = 50;
    bool json = false;
    bool show_secrets = false;
};
int run_cases(const CasesFlags& flags);

struct ExplainFlags {
    std::string what;
    bool list = false;
    bool words = false;  // with list: those of other systems
    bool json = false;
};
int run_explain(const ExplainFlags& flags);

}  // namespace edgecase::cli
