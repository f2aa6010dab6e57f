// Owns log formats that are a text with fields in it, compiled to be read quickly.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "logs/access_formats.hpp"

namespace edgecase::logs {

/// What a field of a line is.
enum class Slot : uint8_t {
    ignored,
    time_clf,
    time_iso,
    time_epoch,
    request,  // method, target and protocol in one
    method,
    uri,
    path,   // without its query
    query,  // with or without its `?`
    host,
    status,
    body_bytes,
    response_bytes,
    request_bytes,
    duration_s,
    duration_ms,
    duration_us,
    client,
    forwarded,
    user_agent,
    referer,
    ray,
    upstream_status,
    worker,
    reason,
    rest,  // all that follows: a Ray ID may be among it
};

/// A field and the literal text before it.
struct Piece {
    std::string before;
    Slot slot;
};

struct Template {
    std::string name;
    std::vector<Piece> pieces;
    std::string after;  // behind the last field
    Moment moment = Moment::end;
    int64_t resolution_us = 1'000'000;
    bool moment_is_known = true;
};

AccessFormatPtr template_format(Template text);

/// A `log_format` of nginx: `$name`, `${name}`. Errors: one sentence.
std::expected<Template, std::string> nginx_template(std::string_view name, std::string_view text);
/// A LogFormat of Apache. Errors: one sentence.
std::expected<Template, std::string> apache_template(std::string_view name, std::string_view text);

/// Digits of a Ray ID, with or without `-COLO`; 0: it is none.
uint64_t ray_of(std::string_view text);
/// The first of them that stands alone in a text; 0: there is none.
uint64_t ray_in(std::string_view text);
/// A non-negative number; -1: it is none.
int64_t number_of(std::string_view text);
/// `0.123` in millionths; -1: it is none.
int64_t millionths_of(std::string_view text);
/// `GET /a HTTP/1.1` into its parts; what is no request line leaves them empty.
void split_request(std::string_view text, EntryView& into);
/// The first address of a list, without `-`.
std::string_view first_address(std::string_view list);

}  // namespace edgecase::logs
