// Owns the record under the names of Cloudflare's Logpush http_requests data set.
#pragma once

#include <nlohmann/json.hpp>

#include "record/record.hpp"

namespace edgecase::record {

/// One object a line of NDJSON: Logpush names where one exists, `OriginFailure*` for our own. Every
/// key of fields() is there in every line. Timestamps are RFC 3339 in UTC with milliseconds.
/// Values of credential-like query parameters and header fields are always redacted.
nlohmann::ordered_json logpush_json(const Record& record);

/// The same as text, without a tree in between.
void append_logpush(std::string& out, const Record& record);

}  // namespace edgecase::record
