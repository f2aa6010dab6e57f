#include "config/top_level.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "config/choices.hpp"
#include "config/load.hpp"
#include "config/nearest.hpp"
#include "config/pools.hpp"
#include "config/routes.hpp"
#include "config/settings.hpp"
#include "config/values.hpp"
#include "ip/endpoint.hpp"

namespace edgecase::config {
namespace {

constexpr std::string_view kListenForm =
    "HOST:PORT with an address, localhost or * as HOST, such as \"127.0.0.1:8520\"";

constexpr size_t kMaximumEgress = 256;  // a /24, more than one edge is ever given

Read<ip::Endpoint> read_listen(const Value& value) {
    const auto* text = as_text(value);
    const auto endpoint = text != nullptr ? parse_listen(*text) : std::nullopt;
    if (!endpoint || endpoint->address.is_multicast()) {
        return std::unexpected(must_be(kListenForm, value));
    }
    return *endpoint;
}

/// Puts what was read where it belongs.
template <typename T, typename Target>
Problem keep(Read<T> read, Target& target) {
    if (!read) return std::move(read.error());
    target = std::move(*read);
    return std::nullopt;
}

Certificate& own_certificate(Settings& settings) {
    if (settings.certificates.empty()) settings.certificates.emplace_back();
    return settings.certificates.front();
}

}  // namespace

Problem set_listen(Settings& settings, const Value& value) {
    return keep(read_listen(value), settings.listen);
}

Problem set_listen_plain(Settings& settings, const Value& value) {
    return keep(read_listen(value), settings.listen_plain);
}

Problem set_admin(Settings& settings, const Value& value) {
    constexpr std::string_view kUnix = "unix:";
    const auto* text = as_text(value);
    if (text != nullptr && text->starts_with(kUnix) && text->size() > kUnix.size()) {
        settings.admin.reset();
        settings.admin_socket = text->substr(kUnix.size());
        return std::nullopt;
    }
    const auto endpoint = text != nullptr ? parse_listen(*text) : std::nullopt;
    if (!endpoint) {
        return must_be(std::string(kListenForm) + ", or unix: and the path of a socket", value);
    }
    settings.admin = endpoint;
    settings.admin_socket.clear();
    return std::nullopt;
}

Problem set_admin_token_file(Settings& settings, const Value& value) {
    const auto* text = as_text(value);
    if (text == nullptr || text->empty()) return must_be("the path of a file", value);
    settings.admin_token_file = *text;
    return std::nullopt;
}

Problem set_origin(Settings& settings, const Value& value) {
    const auto* text = as_text(value);
    if (text == nullptr) return must_be("a URL such as \"http://127.0.0.1:3000\"", value);
    const auto origin = parse_origin(*text);
    if (!origin) return "is wrong: " + origin.error();
    set_default_route(settings, *origin);
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
    if (!std::holds_alternative<int64_t>(value)) {
        return must_be("a whole number, 0 for one per core", value);
    }
    const auto number = read_count(value, 0, 256);
    if (!number) return number.error();
    settings.workers = static_cast<unsigned>(*number);
    return std::nullopt;
}

Problem set_node_id(Settings& settings, const Value& value) {
    const auto number = read_count(value, 0, 4095);
    if (!number) return number.error();
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
    return keep(read_switch(value), settings.host_to_origin);
}

Problem set_early_hints(Settings& settings, const Value& value) {
    return keep(read_switch(value), settings.early_hints);
}

Problem set_ssl_mode(Settings& settings, const Value& value) {
    return keep(read_choice(value, kSslModes), settings.origin_tls.mode);
}

Problem set_origin_name(Settings& settings, const Value& value) {
    const auto* text = as_text(value);
    const auto name = parse_route_host(text != nullptr ? *text : "");
    if (!name || name->starts_with('[')) {
        return must_be("the host name in the origin's certificate", value);
    }
    settings.origin_tls.name = *name;
    return std::nullopt;
}

Problem set_origin_http2(Settings& settings, const Value& value) {
    return keep(read_choice(value, kSwitch), settings.origin_tls.http2);
}

Problem set_traceparent(Settings& settings, const Value& value) {
    return keep(read_choice(value, kTraceParents), settings.trace_parents);
}

Problem set_recorded(Settings& settings, const Value& value) {
    return keep(read_choice(value, kRecorded), settings.retention.records);
}

Problem set_access_log_path(Settings& settings, const Value& value) {
    const auto* text = as_text(value);
    if (text == nullptr || text->contains('\0') || text->ends_with('/')) {
        return must_be("a file's name, such as \"/var/log/edgecase/access.log\"", value);
    }
    if (*text == "-") {
        return "must be a file: standard output is for the line that says what listens";
    }
    settings.access_log.path = *text;
    return std::nullopt;
}

Problem set_access_log_format(Settings& settings, const Value& value) {
    return keep(read_choice(value, kAccessLogFormats), settings.access_log.format);
}

Problem add_egress(Settings& settings, const Value& value) {
    const auto* text = as_text(value);
    const auto address = text != nullptr ? ip::Address::parse(*text) : std::nullopt;
    if (!address || address->is_multicast() || address->is_unspecified()) {
        return must_be("an address of this machine, such as \"192.0.2.10\"", value);
    }
    if (std::ranges::find(settings.egress, *address) != settings.egress.end()) {
        return "names " + address->to_string() + " twice";
    }
    if (settings.egress.size() >= kMaximumEgress) return "has more than 256 addresses";
    settings.egress.push_back(*address);
    return std::nullopt;
}

Problem set_origin_ca(Settings& settings, const Value& value) {
    settings.origin_tls.ca_file = std::get<std::string>(value);
    return std::nullopt;
}

Problem set_origin_client_cert(Settings& settings, const Value& value) {
    settings.origin_tls.certificate_file = std::get<std::string>(value);
    return std::nullopt;
}

Problem set_origin_client_key(Settings& settings, const Value& value) {
    settings.origin_tls.key_file = std::get<std::string>(value);
    return std::nullopt;
}

Problem set_tls_cert(Settings& settings, const Value& value) {
    own_certificate(settings).certificate_file = std::get<std::string>(value);
    return std::nullopt;
}

Problem set_tls_key(Settings& settings, const Value& value) {
    own_certificate(settings).key_file = std::get<std::string>(value);
    return std::nullopt;
}

}  // namespace edgecase::config
