// Owns the error bodies made for programs, with the field names of Cloudflare's structured errors.
#pragma once

#include <string>

#include "errorpage/error_page.hpp"
#include "errorpage/subject.hpp"

namespace edgecase::errorpage {

/// Both JSON types have this body. `cloudflare_error` is true, as it is in every such body of
/// Cloudflare's, because clients written for those tell by it that an edge speaks and not the
/// origin; `edgecase_error` says which edge. `type` is a URN: there is no public page to point at.
/// Source: Cloudflare, error responses; RFC 9457.
std::string json_body(const Subject& subject, base::WallTime time);

/// YAML front matter, then the sections. Source: Cloudflare, error responses.
std::string markdown_body(const Subject& subject, base::WallTime time);

}  // namespace edgecase::errorpage
