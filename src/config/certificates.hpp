// Owns the certificates of a settings file: which files one names.
#pragma once

#include <expected>
#include <string_view>

#include "config/document.hpp"
#include "config/settings.hpp"

namespace edgecase::config {

/// Reads one [[certificate]]; relative names are looked for in `directory`. The files must be there
/// and readable; what they hold is not looked at.
std::expected<Certificate, DocumentError> read_certificate(const TableEntry& table,
                                                           std::string_view directory);

}  // namespace edgecase::config
