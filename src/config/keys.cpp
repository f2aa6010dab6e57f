#include "config/keys.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/duration.hpp"
#include "base/escape.hpp"
#include "config/load.hpp"
#include "config/nearest.hpp"
#include "config/routes.hpp"
#include "config/settings.hpp"
#include "http/url.hpp"
#include "ip/endpoint.hpp"

namespace edgecase::config {
namespace {

std::string in_quotes(std::string_view text) {
    return "\"" + base::escape(text.substr(0, 200)) + "\"";
}

std::string shown(const Value& value) {
    if (const auto* text = std::get_if<std::string>(&value)) return in_quotes(*text);
    if (const auto* number = std::get_if<int64_t>(&value)) return std::to_string(*number);
    return std::get<bool>(value) ? "true" : "false";
}

Problem must_be(std::string_view right, const Value& value) {
    return "must be " + std::string(right) + ", not " + shown(value);
}

const std::string* as_text(const Value& value) {
    const auto* text = std::get_if<std::string>(&value);
    return text != nullptr && !text->empty() ? text : nullptr;
}

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
constexpr int64_t kKiB = 1024;
constexpr int64_t kMiB = 1024 * kKiB;

template <auto Member, int64_t MinimumMs, int64_t MaximumMs>
Problem duration(Settings& settings, const Value& value) {
    using std::chrono::milliseconds;
    const auto* text = as_text(value);
    const auto parsed = text != nullptr ? base::parse_duration(*text) : std::nullopt;
    if (!parsed) return must_be("a duration such as \"2s\" or \"500ms\"", value);
    if (parsed->count() < MinimumMs || parsed->count() > MaximumMs) {
        return must_be("from " + base::format_duration(milliseconds(MinimumMs)) + " to " +
                           base::format_duration(milliseconds(MaximumMs)),
                       value);
    }
    auto& target = member(settings, Member);
    using Target = std::remove_reference_t<decltype(target)>;
    target = std::chrono::duration_cast<Target>(*parsed);
    if (target != *parsed) return must_be("a whole number of hours", value);
    return std::nullopt;
}

template <int64_t Minimum, int64_t Maximum>
Problem check_range(int64_t number, const Value& value) {
    if (number >= Minimum && number <= Maximum) return std::nullopt;
    return must_be("from " + std::to_string(Minimum) + " to " + std::to_string(Maximum), value);
}

template <auto Member, int64_t Minimum, int64_t Maximum>
Problem count(Settings& settings, const Value& value) {
    const auto* number = std::get_if<int64_t>(&value);
    if (number == nullptr) return must_be("a whole number", value);
    if (Problem problem = check_range<Minimum, Maximum>(*number, value)) return problem;
    auto& target = member(settings, Member);
    using Target = std::remove_reference_t<decltype(target)>;
    static_assert(std::in_range<Target>(Maximum));
    target = static_cast<Target>(*number);
    return std::nullopt;
}

/// Bytes: a number, or a text with KiB, MiB or GiB behind the number.
std::optional<int64_t> parse_bytes(const Value& value) {
    if (const auto* number = std::get_if<int64_t>(&value)) return *number;
    const auto* text = as_text(value);
    if (text == nullptr) return std::nullopt;
    int64_t number = 0;
    const char* const end = text->data() + text->size();
    const auto [rest, error] = std::from_chars(text->data(), end, number);
    const std::string_view unit(rest, static_cast<size_t>(end - rest));
    int64_t scale = 0;
    if (unit == "KiB") scale = kKiB;
    if (unit == "MiB") scale = kMiB;
    if (unit == "GiB") scale = 1024 * kMiB;
    if (error != std::errc() || scale == 0 || number < 0) return std::nullopt;
    if (number > std::numeric_limits<int64_t>::max() / scale) return std::nullopt;
    return number * scale;
}

template <auto Member, int64_t Minimum, int64_t Maximum>
Problem bytes(Settings& settings, const Value& value) {
    const auto number = parse_bytes(value);
    if (!number) return must_be("a number of bytes such as 32768 or \"32KiB\"", value);
    if (Problem problem = check_range<Minimum, Maximum>(*number, value)) return problem;
    auto& target = member(settings, Member);
    using Target = std::remove_reference_t<decltype(target)>;
    static_assert(std::in_range<Target>(Maximum));
    target = static_cast<Target>(*number);
    return std::nullopt;
}

// ---- top level ----

constexpr std::string_view kListenForm =
    "HOST:PORT with an address, localhost or * as HOST, such as \"127.0.0.1:8520\"";

Problem set_listen(Settings& settings, const Value& value) {
    const auto* text = as_text(value);
    const auto endpoint = text != nullptr ? parse_listen(*text) : std::nullopt;
    if (!endpoint || endpoint->address.is_multicast()) return must_be(kListenForm, value);
    settings.listen = *endpoint;
    return std::nullopt;
}

Problem set_admin(Settings& settings, const Value& value) {
    const auto* text = as_text(value);
    const auto endpoint = text != nullptr ? parse_listen(*text) : std::nullopt;
    if (!endpoint) return must_be(kListenForm, value);
    if (!endpoint->address.is_loopback()) {
        return "is " + shown(value) +
               ", but admin listens on loopback only in this version; authentication is not there "
               "yet";
    }
    settings.admin = endpoint;
    return std::nullopt;
}

Problem set_origin(Settings& settings, const Value& value) {
    const auto* text = as_text(value);
    if (text == nullptr) return must_be("a URL such as \"http://127.0.0.1:3000\"", value);
    auto origin = parse_origin(*text);
    if (!origin) return "is wrong: " + origin.error();
    set_default_route(settings, std::move(*origin));
    return std::nullopt;
}

Problem set_data_dir(Settings& settings, const Value& value) {
    const auto* text = as_text(value);
    if (text == nullptr || text->contains('\0')) return must_be("a folder", value);
    settings.data_dir = *text;
    return std::nullopt;
}

// The profile is applied before every other key; here its type and name are checked.
Problem set_profile(Settings&, const Value& value) {
    const auto names = profile_names();
    const auto* text = as_text(value);
    if (text != nullptr && std::ranges::find(names, *text) != names.end()) return std::nullopt;
    std::string list;
    for (const auto& name : names) list += (list.empty() ? "" : ", ") + std::string(name);
    Problem problem = must_be("one of " + list, value);
    const auto near = text != nullptr ? nearest(*text, names) : std::string_view();
    if (!near.empty()) *problem += "; did you mean \"" + std::string(near) + "\"?";
    return problem;
}

Problem set_workers(Settings& settings, const Value& value) {
    const auto* number = std::get_if<int64_t>(&value);
    if (number == nullptr) return must_be("a whole number, 0 for one per core", value);
    if (Problem problem = check_range<0, 256>(*number, value)) return problem;
    settings.workers = static_cast<unsigned>(*number);
    return std::nullopt;
}

Problem set_node_id(Settings& settings, const Value& value) {
    const auto* number = std::get_if<int64_t>(&value);
    if (number == nullptr) return must_be("a whole number", value);
    if (Problem problem = check_range<0, 4095>(*number, value)) return problem;
    settings.node_id = static_cast<unsigned>(*number);
    return std::nullopt;
}

Problem set_colo(Settings& settings, const Value& value) {
    const auto* text = as_text(value);
    const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
    if (text == nullptr || text->size() != 3 || !std::ranges::all_of(*text, is_upper)) {
        return must_be("three upper-case letters such as \"LAB\"", value);
    }
    settings.colo = *text;
    return std::nullopt;
}

Problem set_resolver(Settings& settings, const Value& value) {
    const auto* text = as_text(value);
    if (text == nullptr) return must_be("ADDRESS or ADDRESS:PORT", value);
    auto endpoint = ip::Endpoint::parse(*text);
    if (const auto address = ip::Address::parse(*text)) endpoint = ip::Endpoint{*address, 53};
    if (!endpoint || endpoint->port == 0) {
        return must_be("the address of a DNS server, ADDRESS or ADDRESS:PORT", value);
    }
    settings.resolver = endpoint;
    return std::nullopt;
}

Problem set_host_to_origin(Settings& settings, const Value& value) {
    const auto* choice = std::get_if<bool>(&value);
    if (choice == nullptr) return must_be("true or false", value);
    settings.host_to_origin = *choice;
    return std::nullopt;
}

Problem set_ssl_mode(Settings& settings, const Value& value) {
    constexpr std::array kModes{
        std::pair{"off", SslMode::off}, std::pair{"flexible", SslMode::flexible},
        std::pair{"full", SslMode::full}, std::pair{"strict", SslMode::strict}};
    const auto* text = as_text(value);
    for (const auto& [name, mode] : kModes) {
        if (text == nullptr || *text != name) continue;
        settings.ssl_mode = mode;
        return std::nullopt;
    }
    return must_be("one of off, flexible, full, strict", value);
}

Problem set_origin_name(Settings& settings, const Value& value) {
    const auto* text = as_text(value);
    const auto name = parse_route_host(text != nullptr ? *text : "");
    if (!name || name->starts_with('[')) {
        return must_be("the host name in the origin's certificate", value);
    }
    settings.origin_name = *name;
    return std::nullopt;
}

Problem refuse_tls(Settings&, const Value&) {
    return "needs TLS, which this version does not have yet; leave it out";
}

Problem set_origin_http2(Settings&, const Value& value) {
    const auto* text = as_text(value);
    if (text != nullptr && *text == "off") return std::nullopt;
    if (text != nullptr && *text == "on") {
        return "is on, but HTTP/2 to the origin is not there yet in this version; leave it out or "
               "say off";
    }
    return must_be("\"on\" or \"off\"", value);
}

// Upper bounds are where a value stops making sense, so that a missing unit or a slip of the hand
// is told and not obeyed.
constexpr std::array kKeys{
    Key{"", "listen", false, set_listen},
    Key{"", "admin", false, set_admin},
    Key{"", "origin", false, set_origin},
    Key{"", "data_dir", false, set_data_dir},
    Key{"", "profile", false, set_profile},
    Key{"", "workers", true, set_workers},
    Key{"", "colo", false, set_colo},
    Key{"", "node_id", true, set_node_id},
    Key{"", "resolver", false, set_resolver},
    Key{"", "host_to_origin", false, set_host_to_origin},
    Key{"", "ssl_mode", false, set_ssl_mode},
    Key{"", "origin_name", false, set_origin_name},
    Key{"", "origin_ca", false, refuse_tls},
    Key{"", "origin_http2", false, set_origin_http2},
    Key{"", "tls_cert", false, refuse_tls},
    Key{"", "tls_key", false, refuse_tls},

    Key{"timeouts", "connect", false, duration<&Timeouts::connect, 1, kHour>},
    Key{"timeouts", "ack", false, duration<&Timeouts::ack, 1, kHour>},
    Key{"timeouts", "read", false, duration<&Timeouts::read, 1, 24 * kHour>},
    Key{"timeouts", "write", false, duration<&Timeouts::write, 1, kHour>},
    Key{"timeouts", "response_head", false, duration<&Timeouts::response_head, 0, 24 * kHour>},
    Key{"timeouts", "keep_alive", false, duration<&Timeouts::keep_alive, 1000, kHour>},
    Key{"timeouts", "pool_idle", false, duration<&Timeouts::pool_idle, 1, 24 * kHour>},
    Key{"timeouts", "dns", false, duration<&Timeouts::dns, 1, 600 * kSecond>},
    Key{"timeouts", "client_head", false, duration<&Timeouts::client_head, 1, kHour>},
    Key{"timeouts", "client_body", false, duration<&Timeouts::client_body, 1, 24 * kHour>},
    Key{"timeouts", "client_write", false, duration<&Timeouts::client_write, 1, 24 * kHour>},
    Key{"timeouts", "client_idle", false, duration<&Timeouts::client_idle, 1, 24 * kHour>},
    Key{"timeouts", "drain", false, duration<&Timeouts::drain, 0, kHour>},

    Key{"limits", "response_header_bytes", false, bytes<&Limits::response_header_bytes, 256, kMiB>},
    Key{"limits", "response_header_warn_bytes", false,
        bytes<&Limits::response_header_warn_bytes, 1, kMiB>},
    Key{"limits", "response_line_bytes", false, bytes<&Limits::response_line_bytes, 64, kMiB>},
    Key{"limits", "response_header_count", true, count<&Limits::response_header_count, 1, 4096>},
    Key{"limits", "request_line_bytes", false, bytes<&Limits::request_line_bytes, 64, kMiB>},
    Key{"limits", "request_header_bytes", false, bytes<&Limits::request_header_bytes, 256, kMiB>},
    Key{"limits", "request_header_line_bytes", false,
        bytes<&Limits::request_header_line_bytes, 64, kMiB>},
    Key{"limits", "request_header_count", true, count<&Limits::request_header_count, 1, 4096>},
    Key{"limits", "request_body_bytes", false,
        bytes<&Limits::request_body_bytes, 0, int64_t{1} << 50>},
    Key{"limits", "replay_body_bytes", false, bytes<&Limits::replay_body_bytes, 0, 16 * kMiB>},
    Key{"limits", "hold_back_bytes", false, bytes<&Limits::hold_back_bytes, 0, 16 * kMiB>},
    Key{"limits", "hold_back_time", false, duration<&Limits::hold_back_time, 0, 60 * kSecond>},
    Key{"limits", "interim_responses", true, count<&Limits::interim_responses, 0, 1024>},
    Key{"limits", "client_connections", true, count<&Limits::client_connections, 1, 10'000'000>},
    Key{"limits", "origin_connections", true, count<&Limits::origin_connections, 1, 1'000'000>},
    Key{"limits", "pool_connections", true, count<&Limits::pool_connections, 0, 1'000'000>},
    Key{"limits", "retries", true, count<&Limits::retries, 0, 10>},

    Key{"retention", "age", false, duration<&Retention::age, kHour, 366 * 24 * kHour>},
    Key{"retention", "bytes", false, bytes<&Retention::bytes, kMiB, int64_t{1} << 50>},
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
    if (table.empty()) here.insert(here.end(), {"timeouts", "limits", "retention", "route"});
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

void set_default_route(Settings& settings, http::OriginUrl origin) {
    std::erase_if(settings.routes, [](const Route& route) {
        return route.host.empty() && route.path_prefix.empty();
    });
    settings.routes.push_back(Route{.host = {}, .path_prefix = {}, .origin = std::move(origin)});
}

}  // namespace edgecase::config
