#include <algorithm>
#include <array>
#include <vector>

#include "lab/faults/faults.hpp"
#include "lab/scenario.hpp"

namespace edgecase::lab {
namespace {

constexpr std::array kFamilies{
    &faults::ok,
    &faults::ok_uploads,
    &faults::dns,
    &faults::connect_ports,
    &faults::connect_firewall,
    &faults::connect_edge_side,
    &faults::connection_lost,
    &faults::upload_refused,
    &faults::reused_connection,
    &faults::response_empty,
    &faults::response_truncated,
    &faults::not_http,
    &faults::status_line,
    &faults::header_syntax,
    &faults::header_limits,
    &faults::message_framing,
    &faults::interim_responses,
    &faults::response_late,
    &faults::body_idle,
    &faults::body_short,
    &faults::body_chunked,
    &faults::body_trailers,
    &faults::body_extra_bytes,
    &faults::killed_process,
    &faults::origin_status,
    &faults::tls_ok,
    &faults::tls_handshake,
    &faults::tls_certificate,
    &faults::tls_client_certificate,
    &faults::tls_broken,
    &faults::h2_ok,
    &faults::h2_stream,
    &faults::h2_connection,
    &faults::h2_framing,
    &faults::h2_fields,
    &faults::h2_late,
};

}  // namespace

std::span<const Scenario> scenarios() {
    static const std::vector<Scenario> all = [] {
        std::vector<Scenario> joined;
        for (const auto& family : kFamilies) {
            const std::span<const Scenario> rows = family();
            joined.insert(joined.end(), rows.begin(), rows.end());
        }
        return joined;
    }();
    return all;
}

const Scenario* find_scenario(std::string_view name) {
    const std::span<const Scenario> all = scenarios();
    const auto found = std::ranges::find(all, name, &Scenario::name);
    return found == all.end() ? nullptr : &*found;
}

std::string Scenario::request_path() const {
    return path.empty() ? "/" + std::string(name) : std::string(path);
}

std::string_view to_string(Target target) {
    switch (target) {
        case Target::main:
            return "main";
        case Target::reuse:
            return "reuse";
        case Target::closed:
            return "closed";
        case Target::full_queue:
            return "full_queue";
        case Target::dns:
            return "dns";
        case Target::resolver_down:
            return "resolver_down";
        case Target::network:
            return "namespace";
        case Target::edge_setting:
            return "edge_setting";
        case Target::tls:
            return "tls";
        case Target::tls_reuse:
            return "tls_reuse";
        case Target::h2:
            return "h2";
        case Target::own:
            return "own";
    }
    return "main";
}

std::string_view to_string(Side side) {
    switch (side) {
        case Side::none:
            return "";
        case Side::origin:
            return "origin";
        case Side::edge:
            return "edge";
    }
    return "";
}

}  // namespace edgecase::lab
