// Owns `edgecase check`: an origin's paths through an edge of its own, for continuous integration.
#pragma once

#include <string>
#include <vector>

#include "config/load.hpp"

namespace edgecase::cli {

struct CheckFlags {
    std::string origin;
    std::vector<std::string> paths;
    std::string paths_file;  // one a line; `-` is standard input
    std::string config;
    config::Overrides values;
    unsigned header_share = 80;  // percent of the limit
    std::string patience = "6s";
    std::string path_time = "60s";  // for one path at most
    std::string wait = "0s";        // for the origin to take connections
    std::vector<std::string> skip;
    bool json = false;
    bool github = false;
    std::string junit;  // file to write
};
int run_check(const CheckFlags& flags);

}  // namespace edgecase::cli
