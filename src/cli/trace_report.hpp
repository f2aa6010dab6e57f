// Owns the forms in which a trace is shown: terminal, JSON, one HTML file.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "diagnose/trace_summary.hpp"
#include "logs/trace.hpp"

namespace edgecase::cli {

struct TraceReport {
    logs::TraceResult result;
    std::vector<diagnose::Reading> readings;  // one for each ray
    diagnose::Summary summary;
    bool for_one = false;  // one ray was asked for
    bool show_secrets = false;
};

/// `{clock_skew_ms, coverage[], rays[], causes[]}` and more, in parts as they are made: there may
/// be hundreds of thousands of rays. docs/trace.md has the shapes.
void write_trace_json(const TraceReport& report,
                      const std::function<void(std::string_view)>& write);
std::string trace_text(const TraceReport& report, bool colour);
/// One file that needs no other, with plots.
std::string trace_html(const TraceReport& report);

/// `2026-11-01T10:00:00.123Z`; empty: it has none.
std::string time_text(logs::LogTime time);
/// Credentials hidden, unless they are to be shown.
std::string shown_text(const TraceReport& report, std::string_view text);

}  // namespace edgecase::cli
