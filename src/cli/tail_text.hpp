// Owns a case as one line of a running tail.
#pragma once

#include <cstddef>
#include <string>

#include "record/case_json.hpp"
#include "record/record.hpp"

namespace edgecase::cli {

/// Time, ray, status, cause, method, host and path, origin, one sentence. `columns`: what fits, 0
/// for all of it; below 120 the time has no date. No control byte and no secret gets through; ends
/// with a newline.
std::string tail_line(const record::Record& record, size_t columns, bool colour,
                      record::Secrets secrets);

}  // namespace edgecase::cli
