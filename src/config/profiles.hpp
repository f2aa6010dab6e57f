// Owns the named sets of limits and timeouts.
#pragma once

#include <string_view>

#include "config/settings.hpp"

namespace edgecase::config {

/// Sets the timeouts and limits of `settings` to those of the profile, and its name. Errors: false,
/// with `settings` unchanged, when there is no such profile.
[[nodiscard]] bool apply_profile(Settings& settings, std::string_view name);

}  // namespace edgecase::config
