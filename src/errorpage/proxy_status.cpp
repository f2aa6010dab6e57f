#include <fmt/format.h>

#include "errorpage/error_page.hpp"

namespace edgecase::errorpage {
namespace {

constexpr std::string_view kTokenPunctuation = "!#$%&'*+-.^_`|~:/";
constexpr size_t kNameMaximum = 64;  // a colo is three letters; this is a bound, not a format

bool is_token_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kTokenPunctuation.contains(c);
}

/// An sf-string; what it cannot carry becomes '?'.
std::string quoted(std::string_view text) {
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') result += '\\';
        result += c < 0x20 || c > 0x7e ? '?' : c;
    }
    return result + '"';
}

std::string token_or_string(std::string_view text) {
    for (const char c : text) {
        if (!is_token_char(c)) return quoted(text);
    }
    return std::string(text);
}

}  // namespace

std::string proxy_status(const cause::Row& row, std::string_view colo, uint16_t received_status,
                         uint64_t header_section_size) {
    std::string name = "edgecase";
    if (!colo.empty()) name.append("-").append(colo.substr(0, kNameMaximum));
    std::string member = token_or_string(name);
    if (!row.proxy_error.empty()) member += fmt::format("; error={}", row.proxy_error);
    if (received_status != 0) member += fmt::format("; received-status={}", received_status);
    if (row.proxy_error == "http_request_error") {
        member += fmt::format("; status-code={}", row.status);
        if (const cause::Status* status = cause::status(row.status)) {
            member += fmt::format("; status-phrase={}", quoted(status->reason_phrase));
        }
    }
    if (row.proxy_error == "http_response_header_section_size" && header_section_size != 0) {
        member += fmt::format("; header-section-size={}", header_section_size);
    }
    return member;
}

}  // namespace edgecase::errorpage
