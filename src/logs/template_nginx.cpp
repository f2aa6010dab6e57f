#include <array>

#include "base/ascii.hpp"
#include "logs/template_format.hpp"

namespace edgecase::logs {
namespace {

struct Variable {
    std::string_view name;
    Slot slot;
};

// Source: nginx, ngx_http_core_module, ngx_http_log_module and ngx_http_upstream_module.
constexpr std::array kVariables{
    Variable{"args", Slot::query},
    Variable{"body_bytes_sent", Slot::body_bytes},
    Variable{"bytes_sent", Slot::response_bytes},
    Variable{"document_uri", Slot::path},
    Variable{"host", Slot::host},
    Variable{"http_cf_connecting_ip", Slot::forwarded},
    Variable{"http_cf_ray", Slot::ray},
    Variable{"http_host", Slot::host},
    Variable{"http_referer", Slot::referer},
    Variable{"http_user_agent", Slot::user_agent},
    Variable{"http_x_forwarded_for", Slot::forwarded},
    Variable{"msec", Slot::time_epoch},
    Variable{"pid", Slot::worker},
    Variable{"query_string", Slot::query},
    Variable{"remote_addr", Slot::client},
    Variable{"request", Slot::request},
    Variable{"request_length", Slot::request_bytes},
    Variable{"request_method", Slot::method},
    Variable{"request_time", Slot::duration_s},
    Variable{"request_uri", Slot::uri},
    Variable{"status", Slot::status},
    Variable{"time_iso8601", Slot::time_iso},
    Variable{"time_local", Slot::time_clf},
    Variable{"upstream_status", Slot::upstream_status},
    Variable{"uri", Slot::path},
    // Words of our own, for the formats of other servers.
    Variable{"edgecase_duration_ms", Slot::duration_ms},
    Variable{"edgecase_reason", Slot::reason},
    Variable{"edgecase_rest", Slot::rest},
};

Slot slot_of(std::string_view name) {
    for (const Variable& one : kVariables) {
        if (one.name == name) return one.slot;
    }
    return Slot::ignored;
}

bool is_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

}  // namespace

std::expected<Template, std::string> nginx_template(std::string_view name, std::string_view text) {
    Template result;
    result.name = name;
    std::string literal;
    bool has_time = false;
    for (size_t i = 0; i < text.size();) {
        if (text[i] != '$') {
            literal += text[i++];
            continue;
        }
        const bool braces = i + 1 < text.size() && text[i + 1] == '{';
        size_t end = i + (braces ? 2 : 1);
        const size_t begin = end;
        while (end < text.size() && is_name(text[end])) ++end;
        const std::string_view variable = text.substr(begin, end - begin);
        if (variable.empty()) return std::unexpected("a $ without a name behind it");
        if (braces && (end == text.size() || text[end] != '}')) {
            return std::unexpected("${" + std::string(variable) + " is not closed");
        }
        i = end + (braces ? 1 : 0);
        if (literal.empty() && !result.pieces.empty()) {
            return std::unexpected("$" + std::string(variable) +
                                   " follows another field without a character between them: "
                                   "where one ends cannot be told");
        }
        const Slot slot = slot_of(variable);
        has_time = has_time || slot == Slot::time_clf || slot == Slot::time_iso ||
                   slot == Slot::time_epoch;
        if (slot == Slot::time_epoch) result.resolution_us = 1000;
        result.pieces.push_back({std::move(literal), slot});
        literal.clear();
    }
    result.after = std::move(literal);
    if (result.pieces.empty()) return std::unexpected("no field in it");
    if (!has_time) {
        return std::unexpected("no time in it: $time_local, $time_iso8601 or $msec is needed");
    }
    return result;
}

}  // namespace edgecase::logs
