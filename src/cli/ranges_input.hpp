// Owns where `edgecase ranges` reads from: files, the live firewall, a published list.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "allowlist/published.hpp"

namespace edgecase::cli {

/// `-` is standard input. Errors: a sentence with the file's name.
std::expected<allowlist::Source, std::string> read_source(const std::string& path,
                                                          size_t most_bytes);

/// What the firewall's own tools print, each that is installed. Errors: none is, or none may.
std::expected<std::vector<allowlist::Source>, std::string> live_sources();

/// From a file or a URL; both empty: the list built in. `ca`: as of fetch.
std::expected<allowlist::Published, std::string> published_of(const std::string& file,
                                                              const std::string& url = {},
                                                              const std::string& ca = {});

}  // namespace edgecase::cli
