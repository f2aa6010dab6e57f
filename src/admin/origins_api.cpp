#include "admin/origins_api.hpp"

#include <nlohmann/json.hpp>
#include <optional>

namespace edgecase::admin {
namespace {

using nlohmann::ordered_json;
using origin::Http2Switch;

std::string_view name_of(Http2Switch position) {
    switch (position) {
        case Http2Switch::configured:
            return "configured";
        case Http2Switch::on:
            return "on";
        case Http2Switch::off:
            return "off";
    }
    return "configured";
}

std::optional<Http2Switch> position_of(std::string_view name) {
    for (const auto one : {Http2Switch::configured, Http2Switch::on, Http2Switch::off}) {
        if (name_of(one) == name) return one;
    }
    return std::nullopt;
}

std::string text(const ordered_json& json) {
    // What is not UTF-8 is no reason to throw.
    return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

template <typename T>
ordered_json value_or_null(const std::optional<T>& value) {
    return value ? ordered_json(*value) : ordered_json(nullptr);
}

ordered_json ms_or_null(std::optional<int64_t> microseconds) {
    if (!microseconds) return nullptr;
    return static_cast<double>(*microseconds) / 1000;
}

}  // namespace

std::string origins_json(std::span<const OriginState> origins) {
    ordered_json list = ordered_json::array();
    for (const OriginState& one : origins) {
        const bool wanted = one.http2 == Http2Switch::on ||
                            (one.http2 == Http2Switch::configured && one.http2_configured);
        ordered_json pools = ordered_json::array();
        for (const PoolHealth& pool : one.pools) {
            pools.push_back(
                {{"name", pool.name},
                 {"healthy", pool.healthy},
                 {"last_error", pool.last_error.empty() ? ordered_json(nullptr)
                                                        : ordered_json(pool.last_error)}});
        }
        list.push_back({{"url", one.url},
                        {"http2", one.tls && wanted},
                        {"http2_configured", one.http2_configured},
                        {"http2_switch", name_of(one.http2)},
                        {"pools", std::move(pools)},
                        {"requests", value_or_null(one.requests)},
                        {"failures", value_or_null(one.failures)},
                        {"p50_ms", ms_or_null(one.p50_us)},
                        {"p95_ms", ms_or_null(one.p95_us)},
                        {"connections", {{"idle", one.idle}, {"active", one.active}}},
                        {"idle_timeout_ms", value_or_null(one.idle_timeout_ms)}});
    }
    return text({{"origins", list}});
}

std::expected<Http2Order, std::string> parse_http2_order(std::string_view json) {
    const std::unexpected<std::string> wrong(
        R"(the body must be {"origin": "URL", "http2": "on" or "off" or "configured"})");
    const ordered_json order = ordered_json::parse(json, nullptr, false);
    if (!order.is_object() || order.size() != 2) return wrong;
    const auto origin = order.find("origin");
    const auto http2 = order.find("http2");
    if (origin == order.end() || http2 == order.end() || !origin->is_string() ||
        !http2->is_string()) {
        return wrong;
    }
    const auto position = position_of(http2->get_ref<const std::string&>());
    if (!position) return wrong;
    return Http2Order{origin->get<std::string>(), *position};
}

}  // namespace edgecase::admin
