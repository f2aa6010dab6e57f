// Owns the hiding of credentials in URIs.
#pragma once

#include <string>
#include <string_view>

namespace edgecase::record {

/// `uri` (or a host, or a text that may hold URIs) with userinfo and the values of parameters that
/// look like credentials replaced by `[redacted]`, wherever they stand: in the path, behind the
/// `?`, behind the `#` (a Referer may carry an implicit grant's token), percent-encoded in a value.
std::string redact_uri(std::string_view uri);

}  // namespace edgecase::record
