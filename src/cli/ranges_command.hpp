// Owns running another program to its end, without a shell, with its output bounded.
#pragma once

#include <expected>
#include <string>
#include <vector>

namespace edgecase::cli {

struct CommandOutput {
    bool is_found = true;  // false: there is no such program
    int status = 0;        // its exit status; 128 + signal when one ended it
    std::string text;
    std::string errors;  // its first line on standard error
};

/// Looks the program up along PATH and where Debian keeps administration tools. It has no standard
/// input, and kCommandTime. Errors: a sentence.
std::expected<CommandOutput, std::string> run_command(const std::vector<std::string>& argv,
                                                      size_t most_bytes);

constexpr int kCommandSeconds = 60;

}  // namespace edgecase::cli
