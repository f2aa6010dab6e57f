// Owns the field names this edge treats specially, as a small enum.
#pragma once

#include <cstdint>
#include <string_view>

namespace edgecase::http {

enum class FieldName : uint8_t {
    other,
    accept,
    cdn_loop,
    cf_connecting_ip,
    cf_ray,
    cf_visitor,
    connection,
    content_length,
    content_type,
    expect,
    host,
    keep_alive,
    proxy_authenticate,
    proxy_authorization,
    proxy_connection,
    proxy_status,
    referer,
    server,
    set_cookie,
    te,
    traceparent,
    tracestate,
    trailer,
    transfer_encoding,
    true_client_ip,
    upgrade,
    user_agent,
    x_forwarded_for,
    x_forwarded_proto,
};

/// Case-insensitive; `other` for every name not listed above.
FieldName classify(std::string_view name);

/// Fields that belong to one connection and are never forwarded as they came
/// (Source: RFC 9110 §7.6.1). Fields that `Connection` names are hop-by-hop besides these.
constexpr bool is_hop_by_hop(FieldName name) {
    switch (name) {
        case FieldName::connection:
        case FieldName::keep_alive:
        case FieldName::proxy_connection:
        case FieldName::proxy_authenticate:
        case FieldName::proxy_authorization:
        case FieldName::te:
        case FieldName::transfer_encoding:
        case FieldName::upgrade:
            return true;
        case FieldName::other:
        case FieldName::accept:
        case FieldName::cdn_loop:
        case FieldName::cf_connecting_ip:
        case FieldName::cf_ray:
        case FieldName::cf_visitor:
        case FieldName::content_length:
        case FieldName::content_type:
        case FieldName::expect:
        case FieldName::host:
        case FieldName::proxy_status:
        case FieldName::referer:
        case FieldName::server:
        case FieldName::set_cookie:
        case FieldName::traceparent:
        case FieldName::tracestate:
        case FieldName::trailer:
        case FieldName::true_client_ip:
        case FieldName::user_agent:
        case FieldName::x_forwarded_for:
        case FieldName::x_forwarded_proto:
            return false;
    }
    return false;
}

}  // namespace edgecase::http
