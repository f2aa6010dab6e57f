#include "record/traffic_json.hpp"

#include "record/case_json.hpp"
#include "record/json_text.hpp"

namespace edgecase::record {
namespace {

using Json = nlohmann::ordered_json;

Json ms_or_null(std::optional<int64_t> microseconds) {
    if (!microseconds) return nullptr;
    return static_cast<double>(*microseconds) / 1000;
}

Json maximum_ms(const LatencyHistogram& latency) {
    return latency.total() == 0 ? Json(nullptr) : ms_or_null(latency.maximum_us());
}

Json totals_json(const TrafficTotals& totals) {
    return {{"requests", totals.requests},
            {"failures", totals.failures},
            {"edge_errors", totals.edge_errors},
            {"origin_errors", totals.origin_errors},
            {"client_gone", totals.client_gone},
            {"bytes_in", totals.bytes_in},
            {"bytes_out", totals.bytes_out},
            {"p50_ms", ms_or_null(totals.latency.percentile_us(0.5))},
            {"p95_ms", ms_or_null(totals.latency.percentile_us(0.95))},
            {"p99_ms", ms_or_null(totals.latency.percentile_us(0.99))},
            {"max_ms", maximum_ms(totals.latency)}};
}

Json latency_json(const std::vector<LatencyHistogram>& steps) {
    Json json{{"p50_ms", Json::array()},
              {"p95_ms", Json::array()},
              {"p99_ms", Json::array()},
              {"max_ms", Json::array()}};
    for (const LatencyHistogram& step : steps) {
        json["p50_ms"].push_back(ms_or_null(step.percentile_us(0.5)));
        json["p95_ms"].push_back(ms_or_null(step.percentile_us(0.95)));
        json["p99_ms"].push_back(ms_or_null(step.percentile_us(0.99)));
        json["max_ms"].push_back(maximum_ms(step));
    }
    return json;
}

/// A path may hold a token.
Json shown(const std::string& key) {
    return json_text(redact_uri(key));
}

Json top_json(const std::vector<TrafficTop>& top) {
    Json json = Json::array();
    for (const TrafficTop& one : top) {
        json.push_back({{"key", shown(one.key)},
                        {"requests", one.requests},
                        {"failures", one.failures},
                        {"p95_ms", ms_or_null(one.p95_us)}});
    }
    return json;
}

Json causes_json(const std::vector<TrafficTop>& causes) {
    Json json = top_json(causes);
    for (Json& one : json) {
        const auto cause = cause::parse_cause(one["key"].get<std::string>());
        const cause::Row& row = cause::row(cause.value_or(cause::Cause::none));
        one["summary"] = row.cause == cause::Cause::none ? "" : row.reason;
        one["actor"] = to_string(row.actor);
    }
    return json;
}

}  // namespace

nlohmann::ordered_json traffic_json(const Traffic& traffic, const TrafficTotals* before) {
    Json times = Json::array();
    for (const base::WallTime time : traffic.times) {
        times.push_back(std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count());
    }
    Json series = Json::array();
    for (const TrafficSeries& one : traffic.series) {
        series.push_back(
            {{"key", shown(one.key)}, {"total", one.total}, {"requests", one.requests}});
    }
    return {{"since", rfc3339(traffic.query.since)},
            {"until", rfc3339(traffic.query.until)},
            {"step_s", traffic.step.count()},
            {"by", to_string(traffic.query.by)},
            {"times", std::move(times)},
            {"series", std::move(series)},
            {"latency", latency_json(traffic.latency)},
            {"totals", totals_json(traffic.totals)},
            {"before", before != nullptr ? totals_json(*before) : Json(nullptr)},
            {"top",
             {{"hosts", top_json(traffic.hosts)},
              {"paths", top_json(traffic.paths)},
              {"origins", top_json(traffic.origins)},
              {"causes", causes_json(traffic.causes)},
              {"statuses", top_json(traffic.statuses)}}}};
}

}  // namespace edgecase::record
