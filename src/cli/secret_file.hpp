// Owns the reading of a file that holds one secret.
#pragma once

#include <expected>
#include <string>

namespace edgecase::cli {

/// Its first line. `what` it is, for the sentence of an error: `the admin token`.
std::expected<std::string, std::string> read_secret_file(const std::string& path,
                                                         const std::string& what);

}  // namespace edgecase::cli
