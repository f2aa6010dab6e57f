#include "origin/health_board.hpp"

#include <algorithm>
#include <array>

namespace edgecase::origin {
namespace {

using cause::Cause;

std::string_view tls_fault_name(Cause cause) {
    if (cause == Cause::tls_cert_name) return "TLS name mismatch";
    if (cause == Cause::tls_sni_rejected) return "TLS unrecognized name";
    if (cause::row(cause).name.starts_with("tls.cert.")) return "TLS untrusted certificate";
    if (cause == Cause::tls_peer_plaintext || cause == Cause::tls_protocol_error ||
        cause == Cause::tls_no_alpn) {
        return "TLS protocol error";
    }
    return "TLS handshake failure";
}

bool is_reset(Cause cause) {
    constexpr std::array kResets{Cause::connect_reset,      Cause::request_write_reset,
                                 Cause::resp_empty_rst,     Cause::resp_reset_status,
                                 Cause::resp_reset_headers, Cause::resp_reset_after_1xx,
                                 Cause::h2_connection_rst};
    return std::ranges::find(kResets, cause) != kResets.end();
}

}  // namespace

std::string_view health_fault_name(Cause cause) {
    const std::string_view phase = cause::row(cause).phase();
    if (is_reset(cause)) return "Connection reset by peer";
    if (cause == Cause::origin_status) return "Response code mismatch";
    if (cause == Cause::dns_address_prohibited) return "DNS internal";
    if (phase == "dns") return "DNS unknown host";
    if (cause == Cause::connect_no_route || cause == Cause::connect_unroutable) {
        return "Network unreachable";
    }
    if (cause == Cause::connect_host_unreachable || cause == Cause::connect_no_neighbour ||
        cause == Cause::connect_prohibited || cause == Cause::connect_local_prohibited) {
        return "No route to host";
    }
    if (phase == "connect") return "TCP connection failed";
    if (phase == "tls") return tls_fault_name(cause);
    if (cause == Cause::request_not_acked || cause == Cause::resp_connection_lost) {
        return "TCP timeout";
    }
    if (phase == "time" || cause == Cause::request_write_stalled ||
        cause == Cause::h2_settings_timeout || cause == Cause::h2_ping_timeout) {
        return "HTTP timeout occurred";
    }
    if (phase == "resp" || phase == "h2" || phase == "body" || phase == "request") {
        return "HTTP invalid response";
    }
    return "Other failure";
}

HealthBoard::HealthBoard(const std::vector<config::Pool>& pools, const HealthBoard* before) {
    for (const config::Pool& pool : pools) {
        first_.push_back(rows_.size());
        for (const config::PoolOrigin& origin : pool.origins) {
            Row& row = rows_.emplace_back(pool.name, origin.url.to_string());
            if (before == nullptr || pool.health.path.empty()) continue;
            const auto old = std::ranges::find_if(before->rows_, [&](const Row& one) {
                return one.pool == row.pool && one.origin == row.origin;
            });
            if (old == before->rows_.end()) continue;
            row.state.healthy = old->state.healthy.load();
            row.state.last_fault = old->state.last_fault.load();
            row.state.last_status = old->state.last_status.load();
        }
    }
}

}  // namespace edgecase::origin
