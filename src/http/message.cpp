#include "http/message.hpp"

#include <algorithm>
#include <array>

#include "base/ascii.hpp"

namespace edgecase::http {

const FieldView* find(std::span<const FieldView> fields, FieldName name) {
    const auto found = std::ranges::find(fields, name, &FieldView::known);
    return found == fields.end() ? nullptr : &*found;
}

bool connection_lists(std::span<const FieldView> fields, std::string_view token) {
    bool listed = false;
    for (const FieldView& field : fields) {
        if (field.known != FieldName::connection) continue;
        base::for_each_list_element(field.value, [&](std::string_view element) {
            listed = listed || base::iequals(element, token);
        });
    }
    return listed;
}

bool is_idempotent(std::string_view method) {
    constexpr std::array<std::string_view, 6> kMethods{"GET",   "HEAD", "OPTIONS",
                                                       "TRACE", "PUT",  "DELETE"};
    return std::ranges::find(kMethods, method) != kMethods.end();
}

std::string_view reason_phrase(uint16_t status) {
    switch (status) {
        case 100:
            return "Continue";
        case 101:
            return "Switching Protocols";
        case 103:
            return "Early Hints";
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 202:
            return "Accepted";
        case 204:
            return "No Content";
        case 206:
            return "Partial Content";
        case 301:
            return "Moved Permanently";
        case 302:
            return "Found";
        case 303:
            return "See Other";
        case 304:
            return "Not Modified";
        case 307:
            return "Temporary Redirect";
        case 308:
            return "Permanent Redirect";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 413:
            return "Content Too Large";
        case 429:
            return "Too Many Requests";
        case 500:
            return "Internal Server Error";
        case 502:
            return "Bad Gateway";
        case 503:
            return "Service Unavailable";
        case 504:
            return "Gateway Timeout";
        default:
            return "Unknown";
    }
}

}  // namespace edgecase::http
