// Owns which logs are read: files and folders of the command line become a trace's input.
#pragma once

#include <expected>
#include <string>

#include "cli/trace.hpp"
#include "logs/trace.hpp"

namespace edgecase::cli {

/// Looks at each file and recognises its format. Errors: one sentence.
std::expected<logs::TraceInput, std::string> trace_input(const TraceFlags& flags);

}  // namespace edgecase::cli
