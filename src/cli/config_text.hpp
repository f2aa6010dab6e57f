// Owns what `config check` prints of good settings.
#pragma once

#include <string>
#include <string_view>

#include "config/settings.hpp"

namespace edgecase::cli {

/// Several lines; `file` stands in the first.
std::string config_text(const config::Settings& settings, std::string_view file);

/// One JSON object and a line end.
std::string config_json(const config::Settings& settings);

}  // namespace edgecase::cli
