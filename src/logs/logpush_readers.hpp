// Owns the making of the Logpush readers, one for each format.
#pragma once

#include <memory>

#include "logs/reader.hpp"

namespace edgecase::logs {

/// One JSON object a line. Errors: a line that is no such object, or has no name of Logpush, fails.
std::unique_ptr<EdgeReader> make_logpush_ndjson_reader();

/// RFC 4180, columns by the last heading seen; a line before any heading fails.
std::unique_ptr<EdgeReader> make_logpush_csv_reader();

}  // namespace edgecase::logs
