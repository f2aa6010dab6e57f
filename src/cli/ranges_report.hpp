// Owns the forms in which a check of ranges is shown.
#pragma once

#include <string>

#include "allowlist/report.hpp"

namespace edgecase::cli {

struct RangesReport {
    const allowlist::Ruleset& rules;
    const allowlist::Published& published;
    const allowlist::CheckOptions& options;
    const allowlist::Report& report;
};

std::string ranges_text(const RangesReport& report, bool colour);
std::string ranges_json(const RangesReport& report);

/// Commands after which all gets in that surely does not, for each place that stops some; other
/// lines begin with #. Empty: nothing is stopped.
std::string ranges_fix(const RangesReport& report);

/// `connect.timeout: 522`, `403, passed through`
std::string seen_text(cause::Cause cause, uint16_t http_status);

}  // namespace edgecase::cli
