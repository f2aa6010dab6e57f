#include <nlohmann/json.hpp>

#include "cli/doctor_report.hpp"
#include "record/json_text.hpp"

namespace edgecase::cli {
namespace {

using Json = nlohmann::ordered_json;

Json texts(const std::vector<std::string>& lines) {
    Json array = Json::array();
    for (const std::string& line : lines) array.push_back(record::json_text(line));
    return array;
}

Json milliseconds_or_null(int64_t us) {
    return us < 0 ? Json() : Json(static_cast<double>(us) / 1000);
}

Json finding_json(const diagnose::Finding& finding) {
    const cause::Row& row = cause::row(finding.cause);
    return {{"cause", row.name},
            {"likelihood", std::round(finding.likelihood * 1000) / 1000},
            {"status", row.status},
            {"guide", diagnose::to_string(finding.guide)},
            {"summary", row.reason},
            {"evidence_for", texts(finding.evidence_for)},
            {"evidence_against", texts(finding.evidence_against)},
            {"fix", record::json_text(finding.fix)},
            {"rays", finding.rays}};
}

Json trial_json(const DoctorReport& report, const probe::Trial& trial) {
    Json json = {
        {"ray_id", trial.ray.to_string()},
        {"time", record::rfc3339(trial.at)},
        {"probe", trial.probe},
        {"kind", probe::to_string(trial.kind)},
        {"factor", trial.factor},
        {"value", record::json_text(trial.value)},
        {"method", trial.method},
        {"target", record::json_text(report.secrets == record::Secrets::shown
                                         ? trial.target
                                         : record::redact_uri(trial.target))},
        {"host", record::json_text(trial.host)},
        {"cause", cause::row(trial.cause()).name},
        {"status", trial.answer.status},
        {"origin",
         trial.attempt.origin.address.is_unspecified() ? "" : trial.attempt.origin.to_string()},
        {"http2", trial.attempt.http2},
        {"reused", trial.attempt.reused},
        {"nth_request", trial.attempt.nth_request},
        {"first_byte_ms", milliseconds_or_null(trial.attempt.first_byte_us)},
        {"total_ms", milliseconds_or_null(trial.attempt.total_us)},
        {"header_bytes", trial.attempt.header_bytes},
        {"body_bytes", trial.answer.body_bytes}};
    if (trial.failure) {
        json["evidence"] = record::evidence_json(trial.failure->evidence(), report.secrets);
    }
    return json;
}

}  // namespace

std::string doctor_json(const DoctorReport& report) {
    Json verdict = Json::array();
    for (const diagnose::Finding& one : report.verdict.findings) {
        verdict.push_back(finding_json(one));
    }
    Json ruled_out = Json::array();
    for (const diagnose::RuledOut& one : report.verdict.ruled_out) {
        ruled_out.push_back({{"guide", diagnose::to_string(one.guide)}, {"why", one.why}});
    }
    Json advice = Json::array();
    for (const diagnose::Advice& one : report.verdict.advice) {
        advice.push_back({{"topic", one.topic},
                          {"what", record::json_text(one.what)},
                          {"fix", record::json_text(one.fix)}});
    }
    Json probes = Json::array();
    for (const probe::Report& one : report.facts.reports) {
        probes.push_back({{"name", one.name},
                          {"state", probe::to_string(one.state)},
                          {"summary", record::json_text(one.summary)},
                          {"facts", record::evidence_json(one.facts, report.secrets)}});
    }
    Json requests = Json::array();
    for (const probe::Trial& trial : report.trials) requests.push_back(trial_json(report, trial));
    const probe::Server& server = report.facts.server;
    const Json json = {{"url", record::json_text(report.url)},
                       {"conclusion", record::json_text(conclusion(report))},
                       {"verdict", std::move(verdict)},
                       {"ruled_out", std::move(ruled_out)},
                       {"advice", std::move(advice)},
                       {"probes", std::move(probes)},
                       {"server",
                        {{"name", server.name},
                         {"version", record::json_text(server.version)},
                         {"behind", server.behind},
                         {"signs", texts(server.signs)}}},
                       {"logs", texts(report.log_lines)},
                       {"requests", std::move(requests)},
                       {"request_budget", report.budget},
                       {"elapsed_ms", report.elapsed.count()},
                       {"complete", report.cut_short.empty()},
                       {"cut_short", report.cut_short}};
    return json.dump(2) + "\n";
}

}  // namespace edgecase::cli
