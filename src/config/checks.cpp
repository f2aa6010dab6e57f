#include "config/checks.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include "config/ledger.hpp"
#include "config/settings.hpp"
#include "config/sources.hpp"

namespace edgecase::config {
namespace {

Step check_limits(const Limits& limits, const Sources& sources) {
    if (limits.response_line_bytes > limits.response_header_bytes) {
        return sources.conflict({"limits.response_line_bytes", "limits.response_header_bytes"},
                                "contradicts: one line cannot exceed response_header_bytes");
    }
    if (limits.response_header_warn_bytes > limits.response_header_bytes) {
        return sources.conflict(
            {"limits.response_header_warn_bytes", "limits.response_header_bytes"},
            "contradicts: the warning cannot exceed response_header_bytes");
    }
    if (limits.request_header_line_bytes > limits.request_header_bytes) {
        return sources.conflict({"limits.request_header_line_bytes", "limits.request_header_bytes"},
                                "contradicts: one line cannot exceed request_header_bytes");
    }
    if (limits.h2_stream_window_bytes > limits.h2_connection_window_bytes) {
        return sources.conflict(
            {"limits.h2_connection_window_bytes", "limits.h2_stream_window_bytes"},
            "contradicts: a stream's window cannot exceed its connection's");
    }
    return std::nullopt;
}

bool is_same_listener(const std::optional<ip::Endpoint>& a, const std::optional<ip::Endpoint>& b) {
    return a && a == b && a->port != 0;
}

Step check_listeners(const Settings& settings, const Sources& sources) {
    constexpr std::string_view kSame = "is the same address as the other listener's";
    if (is_same_listener(settings.admin, settings.listen)) {
        return sources.conflict({"admin", "listen"}, kSame);
    }
    if (settings.admin && !settings.admin->address.is_loopback() &&
        settings.admin_token_file.empty()) {
        return sources.conflict({"admin"},
                                "is not a loopback address, so whoever asks there must show a "
                                "token: set `admin_token_file` too");
    }
    if (is_same_listener(settings.listen_plain, settings.listen)) {
        return sources.conflict({"listen_plain"}, kSame);
    }
    if (is_same_listener(settings.listen_plain, settings.admin)) {
        return sources.conflict({"listen_plain"}, kSame);
    }
    if (settings.listen_plain && settings.certificates.empty()) {
        return sources.conflict({"listen_plain"},
                                "is for a second listener beside one with TLS; without a "
                                "certificate `listen` is plain already");
    }
    return std::nullopt;
}

}  // namespace

void fit_derived_limits(Settings& settings, const Sources& sources) {
    Limits& limits = settings.limits;
    const auto fit = [&](std::string_view section, uint32_t bytes, std::string_view part,
                         uint32_t& value, uint32_t fitted) {
        if (sources.given(section) && !sources.given(part) && value > bytes) value = fitted;
    };
    const uint32_t response = limits.response_header_bytes;
    fit("limits.response_header_bytes", response, "limits.response_line_bytes",
        limits.response_line_bytes, response);
    fit("limits.response_header_bytes", response, "limits.response_header_warn_bytes",
        limits.response_header_warn_bytes, response / 10 * 9);
    fit("limits.request_header_bytes", limits.request_header_bytes,
        "limits.request_header_line_bytes", limits.request_header_line_bytes,
        limits.request_header_bytes);
    const uint32_t connection = limits.h2_connection_window_bytes;
    fit("limits.h2_connection_window_bytes", connection, "limits.h2_stream_window_bytes",
        limits.h2_stream_window_bytes, connection);
    if (!sources.given("limits.h2_connection_window_bytes")) {
        limits.h2_connection_window_bytes = std::max(connection, limits.h2_stream_window_bytes);
    }
}

Step check_pairs(const Settings& settings, const Sources& sources) {
    const auto pair = [&](const std::string& certificate, const std::string& key,
                          std::string_view certificate_path, std::string_view key_path,
                          std::string_view want_key, std::string_view want_certificate) -> Step {
        if (certificate.empty() == key.empty()) return std::nullopt;
        if (key.empty()) return sources.conflict({certificate_path}, want_key);
        return sources.conflict({key_path}, want_certificate);
    };
    const Certificate own =
        settings.certificates.empty() ? Certificate{} : settings.certificates.front();
    if (Step step = pair(own.certificate_file, own.key_file, "tls_cert", "tls_key",
                         "needs its key: give `tls_key` or --tls-key too",
                         "needs its certificate: give `tls_cert` or --tls-cert too")) {
        return step;
    }
    const OriginTls& tls = settings.origin_tls;
    return pair(tls.certificate_file, tls.key_file, "origin_client_cert", "origin_client_key",
                "needs its key: give `origin_client_key` or --origin-client-key too",
                "needs its certificate: give `origin_client_cert` or --origin-client-cert too");
}

Step check(const Settings& settings, const Sources& sources) {
    if (Step step = check_limits(settings.limits, sources)) return step;
    if (Step step = check_listeners(settings, sources)) return step;
    if (settings.access_log.path.empty() && sources.given("access_log.format")) {
        return sources.conflict({"access_log.format"},
                                "is of a log that is not written; give `access_log.path` too");
    }
    if (const auto conflict = ledger_conflict(settings)) {
        return sources.conflict({conflict->first}, conflict->second);
    }
    if (settings.routes.empty()) {
        return ConfigError{sources.file(), 0, 0,
                           "no origin: give --origin URL, or `origin` or a [[route]] in a file"};
    }
    return std::nullopt;
}

}  // namespace edgecase::config
