// Owns how a share is written in what people read, by the dashboard's rule.
#pragma once

#include <string>

namespace edgecase::base {

/// 0..1 as per cent, never rounded to a lie: "0 %" and "100 %" only where it is so.
std::string percent(double share);

}  // namespace edgecase::base
