#include "lab/request.hpp"

#include <algorithm>
#include <charconv>

namespace edgecase::lab {
namespace {

std::string lower(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return result;
}

std::string_view take_line(std::string_view& rest) {
    const size_t end = rest.find("\r\n");
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 2);
    return line;
}

}  // namespace

std::optional<Request> Request::parse(std::string_view head) {
    const std::string_view start = take_line(head);
    const size_t method_end = start.find(' ');
    const size_t target_end = start.rfind(' ');
    if (method_end == std::string_view::npos || target_end <= method_end) return std::nullopt;
    if (!start.substr(target_end).starts_with(" HTTP/1.")) return std::nullopt;

    Request request;
    request.method = start.substr(0, method_end);
    const std::string_view target = start.substr(method_end + 1, target_end - method_end - 1);
    request.path = target.substr(0, target.find('?'));
    while (!head.empty()) {
        const std::string line = lower(take_line(head));
        const size_t colon = line.find(':');
        if (colon == std::string::npos) continue;
        const std::string_view name = std::string_view(line).substr(0, colon);
        std::string_view value = std::string_view(line).substr(colon + 1);
        while (value.starts_with(' ')) value.remove_prefix(1);
        if (name == "content-length") {
            std::from_chars(value.data(), value.data() + value.size(), request.content_length);
        } else if (name == "transfer-encoding") {
            request.is_chunked = value.contains("chunked");
        } else if (name == "expect") {
            request.expects_continue = value == "100-continue";
        } else if (name == "connection") {
            request.wants_close = value.contains("close");
        } else if (name == "accept") {
            request.wants_json = value.contains("application/json");
        }
    }
    return request;
}

}  // namespace edgecase::lab
