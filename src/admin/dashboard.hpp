// Owns the files that are built in: the dashboard and the description of the API.
#pragma once

#include <string_view>

#include "admin/message.hpp"

namespace edgecase::admin {

constexpr std::string_view kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'";

/// A file of the dashboard; its page for a path that is none, so that links into it work.
Response dashboard_file(const Request& request);

/// The OpenAPI description, as JSON.
std::string_view openapi();

}  // namespace edgecase::admin
