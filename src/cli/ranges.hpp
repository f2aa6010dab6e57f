// Owns `edgecase ranges`: the flags of its commands and the functions that they start.
#pragma once

#include <string>
#include <vector>

namespace edgecase::cli {

struct RangesListFlags {
    std::string ranges;  // file; empty: the list built in
    std::string url;
    std::string ca;  // PEM file of authorities; empty: the system's
    bool json = false;
};
int run_ranges_list(const RangesListFlags& flags);

struct RangesCheckFlags {
    std::vector<std::string> rules;  // files; `-` is standard input
    bool live = false;
    std::string format;
    std::vector<int> ports{80, 443};
    std::string ranges;
    std::string interface_in;
    std::vector<std::string> destinations;
    bool no_includes = false;
    bool json = false;
};
int run_ranges_check(const RangesCheckFlags& flags);

}  // namespace edgecase::cli
