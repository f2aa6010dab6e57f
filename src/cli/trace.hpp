// Owns `edgecase trace`: which logs are read, and in which form the result is shown.
#pragma once

#include <string>
#include <vector>

namespace edgecase::cli {

struct TraceFlags {
    std::vector<std::string> edge_logs;
    std::string data_dir;
    std::string config;  // of an edge, whose records are meant
    std::vector<std::string> origin_logs;
    std::string origin_format;  // a name, a format string, or @FILE
    std::vector<std::string> error_logs;
    std::string zone;
    std::string ray;
    bool all = false;
    bool json = false;
    bool show_secrets = false;
    std::string html;  // file to write
};
int run_trace(const TraceFlags& flags);

}  // namespace edgecase::cli
