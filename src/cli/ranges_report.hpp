// Owns the forms in which a check of ranges is shown.
#pragma once

#include <string>

#include "allowlist/report.hpp"

namespace edgecase::cli {

struct RangesReport {
    const allowlist::Ruleset& rules;
    const allowlist::Published& published;
    const allowlist::Report& report;
};

std::string ranges_text(const RangesReport& report, bool colour);
std::string ranges_json(const RangesReport& report);

/// Commands that let in what does not get in, for the kind of rules that decide. Empty: none known.
std::string ranges_fix(const RangesReport& report);

/// `connect.timeout: 522`, `403, passed through`
std::string seen_text(cause::Cause cause, uint16_t http_status);

}  // namespace edgecase::cli
