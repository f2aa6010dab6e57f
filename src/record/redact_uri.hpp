// Owns the hiding of credentials in URIs.
#pragma once

#include <string>
#include <string_view>

namespace edgecase::record {

/// `uri` with the values of query parameters that look like credentials replaced by `[redacted]`;
/// the same for those after a `#` (a Referer may carry an implicit grant's token).
std::string redact_uri(std::string_view uri);

/// The same, with each hidden byte replaced by `*`, so that offsets into it stay true.
std::string mask_uri(std::string_view uri);

/// Whether a query parameter of that name (still percent-encoded) is one to hide: `token`, `key`,
/// `password`, `secret`, `sig`, `code`, `auth`, `session` and their relatives.
bool is_sensitive_parameter(std::string_view name);

}  // namespace edgecase::record
