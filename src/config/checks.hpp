// Owns what settings must fulfil together, once each of them is right by itself.
#pragma once

#include "config/settings.hpp"
#include "config/sources.hpp"

namespace edgecase::config {

/// A limit that nobody named follows the one it depends on, so that changing that one alone is not
/// a contradiction.
void fit_derived_limits(Settings& settings, const Sources& sources);

/// Keys of which one needs the other; before the [[certificate]]s are there.
Step check_pairs(const Settings& settings, const Sources& sources);

/// Everything else.
Step check(const Settings& settings, const Sources& sources);

}  // namespace edgecase::config
