// Owns the commands `serve`, `lab` and `config check`.
#pragma once

#include <chrono>
#include <string>

#include "config/load.hpp"

namespace edgecase::cli {

/// Runs until SIGTERM or SIGINT; returns the exit status.
int run_serve(const std::string& config_file, const config::Overrides& overrides);

int run_config_check(const std::string& config_file, bool json);

struct LabFlags {
    std::string listen = "127.0.0.1:8530";
    bool list = false;
    bool json = false;
};
int run_lab(const LabFlags& flags);

/// Waits for SIGTERM or SIGINT; for what cannot be reloaded. Block them first with block_signals(),
/// before any thread starts.
void block_signals();
void wait_for_end();
/// Waits so long for SIGTERM or SIGINT. True: one came.
bool end_wanted(std::chrono::milliseconds wait);

}  // namespace edgecase::cli
