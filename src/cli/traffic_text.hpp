// Owns what a person reads of the traffic: totals, series, and what stands out.
#pragma once

#include <cstddef>
#include <string>

#include "record/traffic.hpp"

namespace edgecase::cli {

/// For `edgecase traffic`: `before` is of the equally long time before, null when it is not known.
/// Lines fit into `columns`, 60 at least. Ends with a newline.
std::string traffic_text(const record::Traffic& traffic, const record::TrafficTotals* before,
                         size_t columns, bool colour);

/// `20:43` or, where more than a day is shown, `11-28 20:43`; UTC.
std::string axis_time(base::WallTime time, bool with_date);

/// A key of the traffic (a host, a URL, a path's template), harmless and without secrets.
std::string key_text(const std::string& key);

}  // namespace edgecase::cli
