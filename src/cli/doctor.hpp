// Owns `edgecase doctor`: an origin examined, judged and reported on.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/load.hpp"

namespace edgecase::cli {

struct DoctorFlags {
    std::string url;
    std::string config;  // TOML, as of serve
    config::Overrides values;
    std::string method = "GET";
    std::vector<std::string> fields;  // `Name: value`
    std::string host;
    std::string data;  // of the request's body
    std::string patience = "6s";
    unsigned requests = 200;
    unsigned rate = 25;
    std::string time = "60s";
    std::vector<std::string> access_logs;
    std::vector<std::string> error_logs;
    std::vector<std::string> edge_logs;
    std::string origin_format;
    bool json = false;
    bool markdown = false;
    std::string html;  // file to write
    bool show_secrets = false;
};
int run_doctor(const DoctorFlags& flags);

}  // namespace edgecase::cli
