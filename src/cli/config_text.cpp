#include "cli/config_text.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/duration.hpp"
#include "cli/console.hpp"
#include "config/choices.hpp"
#include "config/pools.hpp"
#include "record/json_text.hpp"

namespace edgecase::cli {
namespace {

using config::Pool;
using config::Settings;
using nlohmann::ordered_json;
using record::json_text;

std::string line(std::string_view label, std::string_view text) {
    std::string result = "  " + std::string(label);
    result.resize(std::max<size_t>(result.size() + 1, 15), ' ');
    return result + one_line(text) + "\n";
}

bool has_https(const Settings& settings) {
    using Scheme = http::OriginUrl::Scheme;
    return std::ranges::any_of(settings.pools, [](const Pool& pool) {
        return std::ranges::any_of(
            pool.origins, [](const auto& origin) { return origin.url.scheme == Scheme::https; });
    });
}

std::string pool_text(const Settings& settings, size_t index) {
    const Pool& pool = settings.pools[index];
    std::string text = pool.name + ": " + std::string(name_of(pool.balance, config::kBalances));
    for (const config::PoolOrigin& origin : pool.origins) {
        text += (&origin == pool.origins.data() ? " over " : ", ") + origin.url.to_string();
        if (origin.weight != 1) text += " (weight " + std::to_string(origin.weight) + ")";
    }
    if (!pool.health.path.empty()) {
        text +=
            "; asks " + pool.health.path + " every " + base::format_duration(pool.health.interval);
    }
    const auto uses = [&](const config::Route& route) { return route.pool == index; };
    if (std::ranges::none_of(settings.routes, uses)) text += "; no route uses it";
    return text;
}

std::string tls_text(const config::OriginTls& tls) {
    std::string text = "ssl_mode " + std::string(name_of(tls.mode, config::kSslModes));
    if (!tls.name.empty()) text += ", name " + tls.name;
    if (!tls.ca_file.empty()) text += ", CAs of " + tls.ca_file;
    if (!tls.certificate_file.empty()) {
        text += ", shows " + tls.certificate_file + " with " + tls.key_file;
    }
    return text + (tls.http2 ? ", offers HTTP/2" : ", HTTP/1.1 only");
}

ordered_json pool_json(const Pool& pool) {
    ordered_json origins = ordered_json::array();
    for (const config::PoolOrigin& origin : pool.origins) {
        origins.push_back({{"url", json_text(origin.url.to_string())}, {"weight", origin.weight}});
    }
    const config::HealthCheck& health = pool.health;
    ordered_json check = nullptr;
    if (!health.path.empty()) {
        check = {
            {"path", json_text(health.path)},       {"host", json_text(health.host)},
            {"expected", health.expected},          {"interval_ms", health.interval.count()},
            {"timeout_ms", health.timeout.count()}, {"unhealthy_after", health.unhealthy_after},
            {"healthy_after", health.healthy_after}};
    }
    return {{"name", json_text(pool.name)},
            {"balance", name_of(pool.balance, config::kBalances)},
            {"origins", origins},
            {"health", check},
            {"ejection",
             {{"failures", pool.ejection.failures},
              {"time_ms", pool.ejection.time.count()},
              {"bad_answers", pool.ejection.bad_answers}}}};
}

ordered_json tls_json(const config::OriginTls& tls) {
    return {{"ssl_mode", name_of(tls.mode, config::kSslModes)},
            {"name", json_text(tls.name)},
            {"ca", json_text(tls.ca_file)},
            {"client_cert", json_text(tls.certificate_file)},
            {"client_key", json_text(tls.key_file)},
            {"http2", tls.http2}};
}

/// Null: records stay in the data_dir. The password stays where it is.
ordered_json ledger_json(const config::Ledger& ledger) {
    if (ledger.kind == config::Ledger::Kind::sqlite) return nullptr;
    ordered_json urls = ordered_json::array();
    for (const std::string& url : ledger.urls) urls.push_back(json_text(url));
    return {{"kind", name_of(ledger.kind, config::kLedgerKinds)},
            {"urls", urls},
            {"database", json_text(ledger.database)},
            {"user", json_text(ledger.user)},
            {"cluster", json_text(ledger.cluster)},
            {"node", json_text(ledger.node)},
            {"secrets", name_of(ledger.secrets, config::kSecrets)}};
}

}  // namespace

std::string config_text(const Settings& settings, std::string_view file) {
    const bool has_tls = !settings.certificates.empty();
    std::string text = one_line(file) + ": fine\n";
    text += line("listen", settings.listen.to_string() + (has_tls ? ", TLS" : ", plain HTTP"));
    if (settings.listen_plain) {
        text += line("listen", settings.listen_plain->to_string() + ", plain HTTP");
    }
    if (settings.admin) text += line("admin", settings.admin->to_string());
    if (!settings.admin_socket.empty()) text += line("admin", "unix:" + settings.admin_socket);
    for (const config::Certificate& certificate : settings.certificates) {
        text += line("certificate", certificate.certificate_file + " with " + certificate.key_file);
    }
    text += line("profile", settings.profile);
    for (size_t i = 0; i < settings.pools.size(); ++i) {
        if (is_named(settings.pools[i])) text += line("pool", pool_text(settings, i));
    }
    for (const config::Route& route : settings.routes) {
        const Pool& pool = settings.pools[route.pool];
        const std::string what = route.host + route.path_prefix;
        text += line("route", (what.empty() ? "everything" : what) + " -> " +
                                  (is_named(pool) ? "pool " : "") + pool.name);
    }
    if (has_https(settings)) text += line("origin TLS", tls_text(settings.origin_tls));
    for (const ip::Address& address : settings.egress) text += line("egress", address.to_string());
    const config::Timeouts& timeouts = settings.timeouts;
    text += line("timeouts", "connect " + base::format_duration(timeouts.connect) + ", ack " +
                                 base::format_duration(timeouts.ack) + ", read " +
                                 base::format_duration(timeouts.read) + ", write " +
                                 base::format_duration(timeouts.write));
    if (settings.retention.records != config::Recorded::all) {
        text +=
            line("records", std::string(name_of(settings.retention.records, config::kRecorded)));
    }
    const config::Ledger& ledger = settings.ledger;
    for (const std::string& url : ledger.urls) {
        text += line("ledger", "ClickHouse at " + url + ", database " + ledger.database +
                                   (ledger.cluster.empty() ? "" : ", cluster " + ledger.cluster));
    }
    if (!settings.access_log.path.empty()) {
        text +=
            line("access log",
                 settings.access_log.path + ", " +
                     std::string(name_of(settings.access_log.format, config::kAccessLogFormats)));
    }
    return text;
}

std::string config_json(const Settings& settings) {
    ordered_json certificates = ordered_json::array();
    for (const config::Certificate& certificate : settings.certificates) {
        certificates.push_back({{"cert", json_text(certificate.certificate_file)},
                                {"key", json_text(certificate.key_file)}});
    }
    ordered_json pools = ordered_json::array();
    for (const Pool& pool : settings.pools) pools.push_back(pool_json(pool));
    ordered_json routes = ordered_json::array();
    for (const config::Route& route : settings.routes) {
        const Pool& pool = settings.pools[route.pool];
        routes.push_back({{"host", json_text(route.host)},
                          {"path", json_text(route.path_prefix)},
                          {is_named(pool) ? "pool" : "origin", json_text(pool.name)}});
    }
    ordered_json egress = ordered_json::array();
    for (const ip::Address& address : settings.egress) egress.push_back(address.to_string());
    const auto endpoint = [](const std::optional<ip::Endpoint>& of) {
        return of ? ordered_json(of->to_string()) : ordered_json();
    };
    ordered_json access_log = nullptr;
    if (!settings.access_log.path.empty()) {
        access_log = {{"path", json_text(settings.access_log.path)},
                      {"format", name_of(settings.access_log.format, config::kAccessLogFormats)}};
    }
    const ordered_json result{
        {"ok", true},
        {"listen", settings.listen.to_string()},
        {"tls", !settings.certificates.empty()},
        {"listen_plain", endpoint(settings.listen_plain)},
        {"admin", settings.admin_socket.empty() ? endpoint(settings.admin)
                                                : ordered_json("unix:" + settings.admin_socket)},
        {"profile", settings.profile},
        {"certificates", certificates},
        {"pools", pools},
        {"routes", routes},
        {"origin_tls", tls_json(settings.origin_tls)},
        {"egress", egress},
        {"records", name_of(settings.retention.records, config::kRecorded)},
        {"ledger", ledger_json(settings.ledger)},
        {"access_log", access_log},
        {"traceparent", name_of(settings.trace_parents, config::kTraceParents)}};
    return result.dump() + "\n";
}

}  // namespace edgecase::cli
