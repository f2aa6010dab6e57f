#include "admin/records_api.hpp"

#include <algorithm>
#include <charconv>

#include "base/ascii.hpp"
#include "cause/table.hpp"
#include "record/case_json.hpp"
#include "record/json_text.hpp"
#include "record/node_json.hpp"
#include "record/summary.hpp"
#include "record/traffic_json.hpp"

namespace edgecase::admin {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::chrono::hours kUsualSpan{1};
constexpr std::chrono::hours kUsualCases{24};
constexpr unsigned kMaximumRows = 500;
constexpr unsigned kUsualRows = 100;
constexpr unsigned kMaximumPoints = 1500;

/// `usual` when it is not given. Errors: nullopt.
std::optional<unsigned> number(std::string_view text, unsigned usual, unsigned least,
                               unsigned most) {
    if (text.empty()) return usual;
    unsigned value = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || rest != end || value < least || value > most) return std::nullopt;
    return value;
}

/// What both lists and traffic may be narrowed to. Errors: a sentence.
template <typename Query>
std::optional<std::string> narrow(const Request& request, Query& query) {
    query.host = request.parameter("host");
    query.node = request.parameter("node");
    query.cause = request.parameter("cause");
    if (!query.cause.empty() && !cause::is_family(query.cause)) {
        return "there is no cause " + query.cause;
    }
    const auto status = number(request.parameter("status"), 0, 100, 999);
    if (!status) return "status must be a number from 100 to 999";
    if (*status != 0) query.status = static_cast<uint16_t>(*status);
    return std::nullopt;
}

Json explained(const cause::Row& row) {
    const cause::Status* const status = cause::status(row.status);
    return {{"name", row.name},
            {"title", status != nullptr ? status->title : ""},
            {"status", row.status == 0 ? Json(nullptr) : Json(row.status)},
            {"actor", cause::to_string(row.actor)},
            {"phase", row.phase()},
            {"summary", row.reason},
            {"fix", row.fix},
            {"visitor", row.visitor}};
}

}  // namespace

Json case_row(const record::Record& record) {
    const cause::Row& row = cause::row(record.cause);
    return {{"ray_id", record.ray.to_string()},
            {"time", record::rfc3339(record.start)},
            {"duration_ms", static_cast<double>(record.duration_us) / 1000},
            {"edge_status", record.edge_status},
            {"origin_status", record.origin_status},
            {"cause", row.name},
            {"phase", row.phase()},
            {"actor", cause::to_string(row.actor)},
            {"summary", record::json_text(record::summary(record))},
            {"method", record::json_text(record.method)},
            {"host", record::json_text(record::redact_uri(record.host))},
            {"uri", record::json_text(record::redact_uri(record.uri))},
            {"origin", record::json_text(record.origin_url)},
            {"attempts", record.attempts.size()},
            {"aborted", record.aborted}};
}

Response answer_ray(const Request& request, std::string_view ray, record::Source& source) {
    std::string text(ray);
    for (char& c : text) c = base::lower(c);
    const auto id = record::RayId::parse(text);
    if (!id) return Response::error(400, "a Ray ID has 16 hexadecimal digits");
    const auto found = source.find(*id);
    if (!found) return Response::error(503, found.error());
    if (!*found) return Response::error(404, "there is no record of ray " + id->to_string());
    const bool shown = request.parameter("secrets") == "1";
    Json json =
        record::case_json(**found, shown ? record::Secrets::shown : record::Secrets::redacted);
    json["explain"] = explained(cause::row((*found)->cause));
    return Response::json(json.dump() + "\n");
}

Response answer_cases(const Request& request, record::Source& source, base::WallTime now) {
    const auto span = parse_span(request, now, kUsualCases);
    if (!span) return Response::error(400, span.error());
    record::CaseFilter filter;
    if (const auto wrong = narrow(request, filter)) return Response::error(400, *wrong);
    const auto limit = number(request.parameter("limit"), kUsualRows, 1, kMaximumRows);
    if (!limit) return Response::error(400, "limit must be a number from 1 to 500");
    filter.since = span->since;
    filter.until = span->until;
    filter.path = request.parameter("path");
    filter.origin = request.parameter("origin");
    filter.limit = *limit + 1;
    if (const std::string_view before = request.parameter("before"); !before.empty()) {
        const auto ray = record::RayId::parse(before);
        if (!ray) return Response::error(400, "before must be a Ray ID");
        filter.before = *ray;
    }
    const auto found = source.cases(filter);
    if (!found) return Response::error(503, found.error());
    Json rows = Json::array();
    for (size_t i = 0; i < std::min<size_t>(found->size(), *limit); ++i) {
        rows.push_back(case_row((*found)[i]));
    }
    const bool more = found->size() > *limit;
    const Json json{{"cases", std::move(rows)},
                    {"next", more ? Json((*found)[*limit - 1].ray.to_string()) : Json(nullptr)}};
    return Response::json(json.dump() + "\n");
}

Response answer_traffic(const Request& request, record::Source& source, base::WallTime now) {
    const auto span = parse_span(request, now, kUsualSpan);
    if (!span) return Response::error(400, span.error());
    record::TrafficQuery query{.since = span->since, .until = std::min(span->until, now)};
    if (query.since >= query.until) return Response::error(400, "since must not be in the future");
    if (const auto wrong = narrow(request, query)) return Response::error(400, *wrong);
    query.origin = request.parameter("origin");
    if (const std::string_view by = request.parameter("by"); !by.empty()) {
        const auto known = record::parse_traffic_by(by);
        if (!known) return Response::error(400, "by must be cause, status, host or origin");
        query.by = *known;
    }
    const auto points = number(request.parameter("points"), 400, 1, kMaximumPoints);
    if (!points) return Response::error(400, "points must be a number from 1 to 1500");
    query.maximum_steps = *points;
    const auto found = record::traffic(source, query);
    if (!found) return Response::error(503, found.error());
    const auto before = record::traffic_before(source, *found);
    if (!before) return Response::error(503, before.error());
    const bool known = before->requests != 0;
    return Response::json(record::traffic_json(*found, known ? &*before : nullptr).dump() + "\n");
}

void add_missing(Response& response, record::Source& source) {
    std::string parts;
    for (const std::string& part : source.take_missing())
        parts += (parts.empty() ? "" : ", ") + part;
    if (!parts.empty()) response.fields.emplace_back("Edgecase-Missing", parts);
}

Response answer_nodes(record::Source& source, base::WallTime now) {
    const auto nodes = source.nodes();
    if (!nodes) return Response::error(503, nodes.error());
    Json list = Json::array();
    for (const record::Node& node : *nodes) list.push_back(record::node_json(node, now));
    return Response::json(Json{{"nodes", std::move(list)}}.dump() + "\n");
}

Response answer_cause(std::string_view name) {
    const auto cause = cause::parse_cause(name);
    if (!cause) return Response::error(404, "there is no cause " + std::string(name));
    return Response::json(explained(cause::row(*cause)).dump() + "\n");
}

}  // namespace edgecase::admin
