// Owns `edgecase findings`: what the failures in the records have in common.
#pragma once

#include <string>

namespace edgecase::cli {

struct FindingsFlags {
    std::string data_dir = "edgecase-data";
    std::string since;  // a duration back from now
    bool json = false;
};
int run_findings(const FindingsFlags& flags);

}  // namespace edgecase::cli
