#include "cli/trace.hpp"

#include <algorithm>
#include <fstream>
#include <thread>

#include "base/ascii.hpp"
#include "cli/console.hpp"
#include "cli/exit_status.hpp"
#include "cli/progress_line.hpp"
#include "cli/trace_input.hpp"
#include "cli/trace_report.hpp"
#include "logs/log_time.hpp"
#include "record/ray_id.hpp"

namespace edgecase::cli {
namespace {

int write_html(const TraceReport& report, const std::string& path) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << trace_html(report);
    file.close();
    if (file) return kFine;
    complain(path + ": cannot be written");
    return kWrongOrMissing;
}

}  // namespace

int run_trace(const TraceFlags& flags) {
    if (flags.edge_logs.empty() && flags.data_dir.empty() && flags.config.empty()) {
        complain(
            "trace wants the edge's side: --edge-log FILE (Logpush), --data-dir DIR or --config "
            "FILE");
        return kUsage;
    }
    if (flags.origin_logs.empty() && flags.error_logs.empty()) {
        complain("trace wants the origin's side: --origin-log FILE, --error-log FILE, or both");
        return kUsage;
    }
    logs::TraceOptions options;
    options.all = flags.all;
    options.threads = std::max(1u, std::thread::hardware_concurrency());
    if (!flags.ray.empty()) {
        const auto ray = record::RayId::parse(base::to_lower(flags.ray));
        if (!ray) {
            complain("\"" + flags.ray + "\" is not a Ray ID: 16 hex digits, perhaps with -COLO");
            return kUsage;
        }
        options.ray = ray->value();
    }
    if (!flags.zone.empty()) {
        options.zone_us = logs::zone_offset(flags.zone);
        if (!options.zone_us) {
            complain("--zone wants an offset like +0100 or Z, not \"" + flags.zone + "\"");
            return kUsage;
        }
    }
    const auto input = trace_input(flags);
    if (!input) {
        complain(input.error());
        return kUsage;
    }
    TraceReport report;
    {
        ProgressLine line;
        if (is_watched()) {
            options.progress = [&](std::string_view what, uint64_t done, uint64_t total) {
                line.show(what, done, total);
            };
        }
        auto result = logs::trace(*input, options);
        if (!result) {
            complain(result.error());
            return kWrongOrMissing;
        }
        report.result = std::move(*result);
    }
    report.for_one = options.ray.has_value();
    report.show_secrets = flags.show_secrets;
    for (const logs::TracedRay& ray : report.result.rays) {
        report.readings.push_back(diagnose::read(ray));
    }
    report.summary = diagnose::sum_up(report.result.rays, report.readings);
    // What cannot be written takes nothing from what is shown.
    const int status = flags.html.empty() ? kFine : write_html(report, flags.html);
    if (flags.json) {
        write_trace_json(report, [](std::string_view text) { print(text); });
    } else {
        print(trace_text(report, wants_colour()));
    }
    if (report.for_one && report.result.rays.empty()) {
        complain("ray " + flags.ray + " is in no edge log given");
        return kWrongOrMissing;
    }
    return status;
}

}  // namespace edgecase::cli
