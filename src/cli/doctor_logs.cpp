#include "cli/doctor_logs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/secrets.hpp"
#include "cli/console.hpp"
#include "cli/trace_input.hpp"
#include "record/ray_id.hpp"

namespace edgecase::cli {
namespace {

constexpr std::chrono::milliseconds kSettling{300};  // servers write their lines a moment later
constexpr size_t kLines = 8;

TraceFlags trace_flags(const DoctorFlags& flags) {
    TraceFlags trace;
    trace.edge_logs = flags.edge_logs;
    trace.origin_logs = flags.access_logs;
    trace.error_logs = flags.error_logs;
    trace.origin_format = flags.origin_format;
    return trace;
}

/// A trial as an edge would have logged it.
void visit_trial(const probe::Trial& trial,
                 const std::function<void(const logs::EdgeEntryView&)>& visit) {
    const cause::Row& row = cause::row(trial.cause());
    logs::EdgeEntryView entry;
    entry.ray = trial.ray.value();
    entry.start = trial.at.time_since_epoch().count();
    entry.end = entry.start + std::max<int64_t>(0, trial.attempt.total_us);
    entry.resolution_us = 1;
    entry.method = trial.method;
    entry.host = trial.host;
    entry.uri = trial.target;
    entry.protocol = trial.attempt.http2 ? "HTTP/2" : "HTTP/1.1";
    entry.edge_status = row.status != 0 ? row.status : trial.answer.status;
    entry.origin_status = trial.answer.status;
    entry.response_body_bytes = static_cast<int64_t>(trial.answer.body_bytes);
    const std::string origin = trial.attempt.origin.to_string();
    const std::string edge = trial.attempt.edge.address.to_string();
    if (!trial.attempt.origin.address.is_unspecified()) entry.origin = origin;
    if (!trial.attempt.edge.address.is_unspecified()) entry.edge_address = edge;
    entry.cause = row.name;
    visit(entry);
}

/// Logs repeat what was asked, tokens and all.
void hide_secrets(DoctorLogs::Said& said) {
    for (std::string& line : said.lines) line = base::without_secrets(line);
    for (diagnose::CauseSum& sum : said.causes) {
        for (auto& one : sum.explanations) one.logs = base::without_secrets(one.logs);
    }
}

std::string line_of(const logs::TracedRay& ray, const diagnose::Reading& reading) {
    std::string text = fmt::format("{}: {}", record::RayId(ray.edge.ray).to_string(),
                                   diagnose::outcome_of(ray, reading));
    if (!reading.logs.empty()) text += ". " + reading.logs;
    if (!ray.nearby.empty()) {
        text +=
            " " + ray.nearby.front()->system + ": " + ray.nearby.front()->message.substr(0, 200);
    }
    return one_line(text);
}

}  // namespace

std::expected<DoctorLogs, std::string> DoctorLogs::look_at(const DoctorFlags& flags) {
    DoctorLogs logs;
    logs.flags_ = &flags;
    const bool any = !flags.access_logs.empty() || !flags.error_logs.empty();
    if (!any && !flags.edge_logs.empty()) {
        return std::unexpected(
            "--edge-log wants the origin's side too: --access-log or --error-log");
    }
    for (const auto* const files : {&flags.access_logs, &flags.error_logs}) {
        for (const std::string& file : *files) {
            auto found = logs::LogFile::look_at(file);
            // It may be empty until the origin is asked.
            if (!found && !found.error().ends_with(": is empty")) {
                return std::unexpected(found.error());
            }
        }
    }
    return logs;
}

std::expected<DoctorLogs::Said, std::string> DoctorLogs::read(const probe::Session& session,
                                                              bool show_secrets) const {
    Said said;
    TraceFlags flags = trace_flags(*flags_);
    if (flags.origin_logs.empty() && flags.error_logs.empty()) return said;
    std::this_thread::sleep_for(kSettling);
    const auto drop_empty = [](std::vector<std::string>& files) {
        std::erase_if(files, [](const std::string& file) {
            const auto found = logs::LogFile::look_at(file);
            return !found && found.error().ends_with(": is empty");
        });
    };
    drop_empty(flags.origin_logs);
    drop_empty(flags.error_logs);
    if (flags.origin_logs.empty() && flags.error_logs.empty()) {
        said.lines.emplace_back("The logs are empty: no request of this examination is in them.");
        return said;
    }
    auto input = trace_input(flags);
    if (!input) return std::unexpected(input.error());
    input->edge_store_name = "doctor";
    input->edge_store = [&session](const std::function<void(const logs::EdgeEntryView&)>& visit)
        -> std::expected<void, std::string> {
        for (const probe::Trial& trial : session.trials()) {
            if (trial.kind != probe::Kind::provoked) visit_trial(trial, visit);
        }
        return {};
    };
    logs::TraceOptions options;
    const auto traced = logs::trace(*input, options);
    if (!traced) return std::unexpected(traced.error());
    std::vector<diagnose::Reading> readings;
    for (const logs::TracedRay& ray : traced->rays) readings.push_back(diagnose::read(ray));
    for (size_t i = 0; i < traced->rays.size() && said.lines.size() < kLines; ++i) {
        const bool own = std::ranges::any_of(session.trials(), [&](const probe::Trial& trial) {
            return trial.ray.value() == traced->rays[i].edge.ray;
        });
        if (own) said.lines.push_back(line_of(traced->rays[i], readings[i]));
    }
    said.causes = diagnose::sum_up(traced->rays, readings).causes;
    if (!show_secrets) hide_secrets(said);
    if (traced->failed == 0) {
        said.lines.push_back(fmt::format("{} requests, no failure among them.", traced->requests));
    }
    return said;
}

}  // namespace edgecase::cli
