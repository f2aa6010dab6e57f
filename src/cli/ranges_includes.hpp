// Owns the search of this machine's disk for the files that a web server's configuration includes.
#pragma once

#include "allowlist/includes.hpp"

namespace edgecase::cli {

/// For allowlist::read_rules. Folders stand for all files in them, as Apache has it.
allowlist::FoundFiles find_included(const std::string& pattern);

}  // namespace edgecase::cli
