#include <algorithm>
#include <array>

#include "base/ascii.hpp"
#include "logs/json_format.hpp"

namespace edgecase::logs {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kMillisecond = 1'000'000;

struct Name {
    std::string_view name;
    Slot slot;
    int64_t unit_ns = 0;
};

// The left side of `json:time=ts`.
constexpr std::array kNames{
    Name{"time", Slot::time_iso},
    Name{"ray", Slot::ray},
    Name{"method", Slot::method},
    Name{"uri", Slot::uri},
    Name{"request", Slot::request},
    Name{"host", Slot::host},
    Name{"status", Slot::status},
    Name{"body_bytes", Slot::body_bytes},
    Name{"response_bytes", Slot::response_bytes},
    Name{"request_bytes", Slot::request_bytes},
    Name{"duration_s", Slot::duration_s, kSecond},
    Name{"duration_ms", Slot::duration_s, kMillisecond},
    Name{"duration_us", Slot::duration_s, 1000},
    Name{"duration_ns", Slot::duration_s, 1},
    Name{"client", Slot::client},
    Name{"forwarded", Slot::forwarded},
    Name{"user_agent", Slot::user_agent},
    Name{"referer", Slot::referer},
    Name{"upstream_status", Slot::upstream_status},
    Name{"worker", Slot::worker},
    Name{"reason", Slot::reason},
};

}  // namespace

std::expected<JsonMap, std::string> json_map(std::string_view text) {
    JsonMap map{.name = "JSON by map", .fields = {}, .moment_is_known = false};
    std::string wrong;
    base::for_each_list_element(text, [&](std::string_view element) {
        const size_t equals = element.find('=');
        const std::string_view name = element.substr(0, equals);
        const auto* const known = std::ranges::find(kNames, name, &Name::name);
        if (equals == std::string_view::npos || known == kNames.end() ||
            equals + 1 == element.size()) {
            if (wrong.empty()) wrong = element;
            return;
        }
        map.fields.push_back(
            {std::string(element.substr(equals + 1)), known->slot, known->unit_ns});
    });
    if (!wrong.empty()) {
        std::string names;
        for (const Name& one : kNames) names += (names.empty() ? "" : ", ") + std::string(one.name);
        return std::unexpected("\"" + wrong + "\" is not NAME=KEY with a NAME of: " + names);
    }
    if (std::ranges::none_of(map.fields,
                             [](const auto& one) { return one.slot == Slot::time_iso; })) {
        return std::unexpected("time=KEY is needed");
    }
    return map;
}

// Source: Caddy, the log directive: `ts` is when the response was done.
JsonMap caddy_map() {
    return {.name = "caddy",
            .fields = {{"ts", Slot::time_iso},
                       {"request.method", Slot::method},
                       {"request.host", Slot::host},
                       {"request.uri", Slot::uri},
                       {"request.remote_ip", Slot::client},
                       {"request.headers.Cf-Ray", Slot::ray},
                       {"request.headers.Cf-Connecting-Ip", Slot::forwarded},
                       {"request.headers.X-Forwarded-For", Slot::forwarded},
                       {"request.headers.User-Agent", Slot::user_agent},
                       {"request.headers.Referer", Slot::referer},
                       {"status", Slot::status},
                       {"size", Slot::body_bytes},
                       {"duration", Slot::duration_s, kSecond}}};
}

// Source: Traefik, access log fields.
JsonMap traefik_map() {
    return {.name = "traefik-json",
            .fields = {{"StartUTC", Slot::time_iso},
                       {"RequestMethod", Slot::method},
                       {"RequestHost", Slot::host},
                       {"RequestPath", Slot::uri},
                       {"ClientHost", Slot::client},
                       {"DownstreamStatus", Slot::status},
                       {"OriginStatus", Slot::upstream_status},
                       {"DownstreamContentSize", Slot::body_bytes},
                       {"Duration", Slot::duration_s, 1},
                       {"request_Cf-Ray", Slot::ray},
                       {"request_Cf-Connecting-Ip", Slot::forwarded},
                       {"request_X-Forwarded-For", Slot::forwarded},
                       {"request_User-Agent", Slot::user_agent},
                       {"request_Referer", Slot::referer}},
            .moment = Moment::start};
}

// Source: Envoy and Istio, JSON access logs of their documentation.
JsonMap envoy_map() {
    return {.name = "envoy-json",
            .fields = {{"start_time", Slot::time_iso},
                       {"method", Slot::method},
                       {"path", Slot::uri},
                       {"x-envoy-origin-path", Slot::uri},
                       {"authority", Slot::host},
                       {"response_code", Slot::status},
                       {"response_flags", Slot::reason},
                       {"bytes_sent", Slot::body_bytes},
                       {"bytes_received", Slot::request_bytes},
                       {"duration", Slot::duration_s, kMillisecond},
                       {"downstream_remote_address", Slot::client},
                       {"x_forwarded_for", Slot::forwarded},
                       {"user_agent", Slot::user_agent},
                       {"cf_ray", Slot::ray},
                       {"cf-ray", Slot::ray}},
            .moment = Moment::start};
}

/// What people call these things in logs of their own.
JsonMap usual_map() {
    return {.name = "json",
            .fields = {{"time", Slot::time_iso},
                       {"timestamp", Slot::time_iso},
                       {"@timestamp", Slot::time_iso},
                       {"ts", Slot::time_iso},
                       {"time_local", Slot::time_iso},
                       {"time_iso8601", Slot::time_iso},
                       {"msec", Slot::time_iso},
                       {"date", Slot::time_iso},
                       {"method", Slot::method},
                       {"request_method", Slot::method},
                       {"verb", Slot::method},
                       {"uri", Slot::uri},
                       {"url", Slot::uri},
                       {"path", Slot::uri},
                       {"request_uri", Slot::uri},
                       {"originalurl", Slot::uri},
                       {"request", Slot::request},
                       {"host", Slot::host},
                       {"http_host", Slot::host},
                       {"hostname", Slot::host},
                       {"status", Slot::status},
                       {"status_code", Slot::status},
                       {"statuscode", Slot::status},
                       {"response_code", Slot::status},
                       {"body_bytes_sent", Slot::body_bytes},
                       {"bytes_sent", Slot::response_bytes},
                       {"bytes", Slot::body_bytes},
                       {"size", Slot::body_bytes},
                       {"response_size", Slot::body_bytes},
                       {"request_time", Slot::duration_s, kSecond},
                       {"duration_ms", Slot::duration_s, kMillisecond},
                       {"responsetime", Slot::duration_s, kMillisecond},
                       {"latency_ms", Slot::duration_s, kMillisecond},
                       {"remote_addr", Slot::client},
                       {"remote_ip", Slot::client},
                       {"client_ip", Slot::client},
                       {"x_forwarded_for", Slot::forwarded},
                       {"http_x_forwarded_for", Slot::forwarded},
                       {"cf_connecting_ip", Slot::forwarded},
                       {"user_agent", Slot::user_agent},
                       {"http_user_agent", Slot::user_agent},
                       {"useragent", Slot::user_agent},
                       {"referer", Slot::referer},
                       {"http_referer", Slot::referer},
                       {"cf_ray", Slot::ray},
                       {"cf-ray", Slot::ray},
                       {"http_cf_ray", Slot::ray},
                       {"cfray", Slot::ray},
                       {"ray", Slot::ray},
                       {"ray_id", Slot::ray},
                       {"rayid", Slot::ray},
                       {"upstream_status", Slot::upstream_status},
                       {"pid", Slot::worker}},
            .by_last_part = true,
            .moment_is_known = false};
}

}  // namespace edgecase::logs
