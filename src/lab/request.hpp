// Owns the little the lab must know of a request: enough to answer it and to find its end.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace edgecase::lab {

struct Request {
    std::string method;
    std::string path;  // the target up to its query
    uint64_t content_length = 0;
    bool is_chunked = false;
    bool expects_continue = false;
    bool wants_close = false;
    bool wants_json = false;  // `Accept` names application/json

    bool is_head() const { return method == "HEAD"; }

    /// `head` ends with its blank line. Errors: nullopt when it is no HTTP/1 request.
    static std::optional<Request> parse(std::string_view head);
};

}  // namespace edgecase::lab
