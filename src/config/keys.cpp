#include "config/keys.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "config/ledger.hpp"
#include "config/load.hpp"
#include "config/nearest.hpp"
#include "config/settings.hpp"
#include "config/top_level.hpp"
#include "config/values.hpp"
#include "ip/endpoint.hpp"

namespace edgecase::config {
namespace {

// ---- groups: a member pointer says which part of the settings it belongs to ----

template <typename T>
T& member(Settings& settings, T Timeouts::* which) {
    return settings.timeouts.*which;
}
template <typename T>
T& member(Settings& settings, T Limits::* which) {
    return settings.limits.*which;
}
template <typename T>
T& member(Settings& settings, T Retention::* which) {
    return settings.retention.*which;
}

constexpr int64_t kSecond = 1000;
constexpr int64_t kHour = 3600 * kSecond;
constexpr int64_t kMiB = 1024 * 1024;
constexpr int64_t kWindow = 65'535;  // what HTTP/2 begins with; a connection's cannot be less

template <typename T>
T& member(Settings& settings, T Ledger::* which) {
    return settings.ledger.*which;
}

template <auto Member, int64_t MinimumMs, int64_t MaximumMs>
Problem duration(Settings& settings, const Value& value) {
    using std::chrono::milliseconds;
    const auto read = read_duration(value, milliseconds(MinimumMs), milliseconds(MaximumMs));
    if (!read) return read.error();
    auto& target = member(settings, Member);
    using Target = std::remove_reference_t<decltype(target)>;
    target = std::chrono::duration_cast<Target>(*read);
    if (target != *read) return must_be("a whole number of hours", value);
    return std::nullopt;
}

template <auto Member, int64_t Minimum, int64_t Maximum>
Problem keep_number(Settings& settings, const Read<int64_t>& read) {
    if (!read) return read.error();
    auto& target = member(settings, Member);
    using Target = std::remove_reference_t<decltype(target)>;
    static_assert(std::in_range<Target>(Minimum) && std::in_range<Target>(Maximum));
    target = static_cast<Target>(*read);
    return std::nullopt;
}

template <auto Member, int64_t Minimum, int64_t Maximum>
Problem count(Settings& settings, const Value& value) {
    return keep_number<Member, Minimum, Maximum>(settings, read_count(value, Minimum, Maximum));
}

template <auto Member, int64_t Minimum, int64_t Maximum>
Problem bytes(Settings& settings, const Value& value) {
    return keep_number<Member, Minimum, Maximum>(settings, read_bytes(value, Minimum, Maximum));
}

constexpr auto kAny = Key::Kind::any;
constexpr auto kInteger = Key::Kind::integer;
constexpr auto kFile = Key::Kind::file;
constexpr auto kList = Key::Kind::list;

// Upper bounds are where a value stops making sense, so that a missing unit or a slip of the hand
// is told and not obeyed.
constexpr std::array kKeys{
    Key{"", "listen", kAny, set_listen},
    Key{"", "listen_plain", kAny, set_listen_plain},
    Key{"", "tls_cert", kFile, set_tls_cert},
    Key{"", "tls_key", kFile, set_tls_key},
    Key{"", "admin", kAny, set_admin},
    Key{"", "admin_token_file", kFile, set_admin_token_file},
    Key{"", "origin", kAny, set_origin},
    Key{"", "ssl_mode", kAny, set_ssl_mode},
    Key{"", "origin_name", kAny, set_origin_name},
    Key{"", "origin_ca", kFile, set_origin_ca},
    Key{"", "origin_client_cert", kFile, set_origin_client_cert},
    Key{"", "origin_client_key", kFile, set_origin_client_key},
    Key{"", "origin_http2", kAny, set_origin_http2},
    Key{"", "host_to_origin", kAny, set_host_to_origin},
    Key{"", "early_hints", kAny, set_early_hints},
    Key{"", "egress", kList, add_egress, R"(["192.0.2.10", "2001:db8::10"])"},
    Key{"", "data_dir", kAny, set_data_dir},
    Key{"", "profile", kAny, set_profile},
    Key{"", "workers", kInteger, set_workers},
    Key{"", "colo", kAny, set_colo},
    Key{"", "node_id", kInteger, set_node_id},
    Key{"", "resolver", kAny, set_resolver},
    Key{"", "traceparent", kAny, set_traceparent},

    Key{"timeouts", "connect", kAny, duration<&Timeouts::connect, 1, kHour>},
    Key{"timeouts", "ack", kAny, duration<&Timeouts::ack, 1, kHour>},
    Key{"timeouts", "read", kAny, duration<&Timeouts::read, 1, 24 * kHour>},
    Key{"timeouts", "write", kAny, duration<&Timeouts::write, 1, kHour>},
    Key{"timeouts", "response_head", kAny, duration<&Timeouts::response_head, 0, 24 * kHour>},
    Key{"timeouts", "keep_alive", kAny, duration<&Timeouts::keep_alive, 1000, kHour>},
    Key{"timeouts", "pool_idle", kAny, duration<&Timeouts::pool_idle, 1, 24 * kHour>},
    Key{"timeouts", "dns", kAny, duration<&Timeouts::dns, 1, 600 * kSecond>},
    Key{"timeouts", "dns_stale", kAny, duration<&Timeouts::dns_stale, 0, 7 * 24 * kHour>},
    Key{"timeouts", "client_head", kAny, duration<&Timeouts::client_head, 1, kHour>},
    Key{"timeouts", "client_body", kAny, duration<&Timeouts::client_body, 1, 24 * kHour>},
    Key{"timeouts", "client_write", kAny, duration<&Timeouts::client_write, 1, 24 * kHour>},
    Key{"timeouts", "client_idle", kAny, duration<&Timeouts::client_idle, 1, 24 * kHour>},
    Key{"timeouts", "drain", kAny, duration<&Timeouts::drain, 0, kHour>},
    Key{"timeouts", "tls_handshake", kAny, duration<&Timeouts::tls_handshake, 1, kHour>},
    Key{"timeouts", "h2_ping", kAny, duration<&Timeouts::h2_ping, 0, kHour>},
    Key{"timeouts", "h2_settings", kAny, duration<&Timeouts::h2_settings, 1, kHour>},

    Key{"limits", "response_header_bytes", kAny, bytes<&Limits::response_header_bytes, 256, kMiB>},
    Key{"limits", "response_header_warn_bytes", kAny,
        bytes<&Limits::response_header_warn_bytes, 1, kMiB>},
    Key{"limits", "response_line_bytes", kAny, bytes<&Limits::response_line_bytes, 64, kMiB>},
    Key{"limits", "response_header_count", kInteger,
        count<&Limits::response_header_count, 1, 4096>},
    Key{"limits", "request_line_bytes", kAny, bytes<&Limits::request_line_bytes, 64, kMiB>},
    Key{"limits", "request_header_bytes", kAny, bytes<&Limits::request_header_bytes, 256, kMiB>},
    Key{"limits", "request_header_line_bytes", kAny,
        bytes<&Limits::request_header_line_bytes, 64, kMiB>},
    Key{"limits", "request_header_count", kInteger, count<&Limits::request_header_count, 1, 4096>},
    Key{"limits", "request_body_bytes", kAny,
        bytes<&Limits::request_body_bytes, 0, int64_t{1} << 50>},
    Key{"limits", "replay_body_bytes", kAny, bytes<&Limits::replay_body_bytes, 0, 16 * kMiB>},
    Key{"limits", "hold_back_bytes", kAny, bytes<&Limits::hold_back_bytes, 0, 16 * kMiB>},
    Key{"limits", "hold_back_time", kAny, duration<&Limits::hold_back_time, 0, 60 * kSecond>},
    Key{"limits", "interim_responses", kInteger, count<&Limits::interim_responses, 0, 1024>},
    Key{"limits", "client_connections", kInteger,
        count<&Limits::client_connections, 1, 10'000'000>},
    Key{"limits", "origin_connections", kInteger, count<&Limits::origin_connections, 1, 1'000'000>},
    Key{"limits", "pool_connections", kInteger, count<&Limits::pool_connections, 0, 1'000'000>},
    Key{"limits", "retries", kInteger, count<&Limits::retries, 0, 10>},
    Key{"limits", "h2_concurrent_streams", kInteger,
        count<&Limits::h2_concurrent_streams, 1, 10'000>},
    Key{"limits", "h2_origin_streams", kInteger, count<&Limits::h2_origin_streams, 1, 10'000>},
    Key{"limits", "h2_stream_window_bytes", kAny,
        bytes<&Limits::h2_stream_window_bytes, kWindow, 1024 * kMiB>},
    Key{"limits", "h2_connection_window_bytes", kAny,
        bytes<&Limits::h2_connection_window_bytes, kWindow, 1024 * kMiB>},
    Key{"limits", "h2_resets_per_second", kInteger,
        count<&Limits::h2_resets_per_second, 1, 1'000'000>},
    Key{"limits", "h2_settings_per_second", kInteger,
        count<&Limits::h2_settings_per_second, 1, 1'000'000>},
    Key{"limits", "h2_pings_per_second", kInteger,
        count<&Limits::h2_pings_per_second, 1, 1'000'000>},
    Key{"limits", "h2_empty_frames_per_second", kInteger,
        count<&Limits::h2_empty_frames_per_second, 1, 1'000'000>},
    Key{"limits", "h2_continuations", kInteger, count<&Limits::h2_continuations, 0, 10'000>},

    Key{"retention", "records", kAny, set_recorded},
    Key{"retention", "age", kAny, duration<&Retention::age, kHour, 366 * 24 * kHour>},
    Key{"retention", "bytes", kAny, bytes<&Retention::bytes, kMiB, int64_t{1} << 50>},

    Key{"access_log", "path", kAny, set_access_log_path},
    Key{"access_log", "format", kAny, set_access_log_format},

    Key{"ledger", "kind", kAny, set_ledger_kind},
    Key{"ledger", "urls", kList, add_ledger_url, R"(["http://10.0.0.1:8123"])"},
    Key{"ledger", "database", kAny, set_ledger_database},
    Key{"ledger", "user", kAny, set_ledger_user},
    Key{"ledger", "password_file", kFile, set_ledger_password_file},
    Key{"ledger", "password_env", kAny, set_ledger_password_env},
    Key{"ledger", "ca", kFile, set_ledger_ca},
    Key{"ledger", "cluster", kAny, set_ledger_cluster},
    Key{"ledger", "node", kAny, set_ledger_node},
    Key{"ledger", "keep", kAny, duration<&Ledger::keep, kHour, 3660 * 24 * kHour>},
    Key{"ledger", "secrets", kAny, set_ledger_secrets},
};

constexpr bool names_are_unique() {
    for (size_t i = 0; i < kKeys.size(); ++i) {
        for (size_t j = 0; j < i; ++j) {
            if (kKeys[i].table == kKeys[j].table && kKeys[i].name == kKeys[j].name) return false;
        }
    }
    return true;
}
static_assert(names_are_unique());

}  // namespace

std::optional<ip::Endpoint> parse_listen(std::string_view text) {
    const auto parts = ip::HostPort::parse(text);
    if (!parts) return std::nullopt;
    if (parts->host == "localhost") return ip::Endpoint{ip::Address::v4(0x7f00'0001), parts->port};
    if (parts->host == "*") return ip::Endpoint{ip::Address::v4(0), parts->port};
    return ip::Endpoint::parse(text);
}

std::string Key::path() const {
    return table.empty() ? std::string(name) : std::string(table) + "." + std::string(name);
}

std::span<const Key> keys() {
    return kKeys;
}

const Key* find_key(std::string_view table, std::string_view name) {
    const auto found = std::ranges::find_if(
        kKeys, [&](const Key& key) { return key.table == table && key.name == name; });
    return found == kKeys.end() ? nullptr : &*found;
}

std::string nearest_key(std::string_view table, std::string_view name) {
    // First the same table, then all of them under the names people carry over from the flags.
    std::vector<std::string_view> here;
    for (const Key& key : kKeys) {
        if (key.table == table) here.push_back(key.name);
    }
    if (table.empty())
        here.insert(here.end(), {"timeouts", "limits", "retention", "access_log", "ledger", "route",
                                 "pool", "certificate"});
    if (const auto near = nearest(name, here); !near.empty()) {
        return table.empty() ? std::string(near) : std::string(table) + "." + std::string(near);
    }
    std::vector<std::string> aliases;
    for (const Key& key : kKeys) {
        aliases.emplace_back(key.name);
        aliases.push_back(std::string(key.name) + "_timeout");
    }
    const std::vector<std::string_view> views(aliases.begin(), aliases.end());
    const auto near = nearest(name, views);
    if (near.empty()) return {};
    return kKeys[static_cast<size_t>(std::ranges::find(views, near) - views.begin()) / 2].path();
}

}  // namespace edgecase::config
