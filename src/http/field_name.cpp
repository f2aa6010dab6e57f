#include "http/field_name.hpp"

#include "base/ascii.hpp"

namespace edgecase::http {
namespace {

FieldName match(std::string_view name, std::string_view wanted, FieldName found) {
    return base::iequals(name, wanted) ? found : FieldName::other;
}

}  // namespace

FieldName classify(std::string_view name) {
    // Length and first letter leave at most one candidate: one comparison for each field.
    if (name.empty()) return FieldName::other;
    const char first = base::lower(name.front());
    switch (name.size()) {
        case 2:
            return match(name, "te", FieldName::te);
        case 4:
            return match(name, "host", FieldName::host);
        case 6:
            switch (first) {
                case 'a':
                    return match(name, "accept", FieldName::accept);
                case 'c':
                    return match(name, "cf-ray", FieldName::cf_ray);
                case 'e':
                    return match(name, "expect", FieldName::expect);
                case 's':
                    return match(name, "server", FieldName::server);
                default:
                    return FieldName::other;
            }
        case 7:
            switch (first) {
                case 'r':
                    return match(name, "referer", FieldName::referer);
                case 't':
                    return match(name, "trailer", FieldName::trailer);
                case 'u':
                    return match(name, "upgrade", FieldName::upgrade);
                default:
                    return FieldName::other;
            }
        case 8:
            return match(name, "cdn-loop", FieldName::cdn_loop);
        case 10:
            switch (first) {
                case 'c':
                    return base::lower(name[1]) == 'f'
                               ? match(name, "cf-visitor", FieldName::cf_visitor)
                               : match(name, "connection", FieldName::connection);
                case 'k':
                    return match(name, "keep-alive", FieldName::keep_alive);
                case 's':
                    return match(name, "set-cookie", FieldName::set_cookie);
                case 't':
                    return match(name, "tracestate", FieldName::tracestate);
                case 'u':
                    return match(name, "user-agent", FieldName::user_agent);
                default:
                    return FieldName::other;
            }
        case 11:
            return match(name, "traceparent", FieldName::traceparent);
        case 12:
            return first == 'p' ? match(name, "proxy-status", FieldName::proxy_status)
                                : match(name, "content-type", FieldName::content_type);
        case 14:
            return first == 't' ? match(name, "true-client-ip", FieldName::true_client_ip)
                                : match(name, "content-length", FieldName::content_length);
        case 15:
            return match(name, "x-forwarded-for", FieldName::x_forwarded_for);
        case 16:
            return first == 'p' ? match(name, "proxy-connection", FieldName::proxy_connection)
                                : match(name, "cf-connecting-ip", FieldName::cf_connecting_ip);
        case 17:
            return first == 't' ? match(name, "transfer-encoding", FieldName::transfer_encoding)
                                : match(name, "x-forwarded-proto", FieldName::x_forwarded_proto);
        case 18:
            return match(name, "proxy-authenticate", FieldName::proxy_authenticate);
        case 19:
            return match(name, "proxy-authorization", FieldName::proxy_authorization);
        default:
            return FieldName::other;
    }
}

}  // namespace edgecase::http
