// Owns what a person reads of a case: one in full, or a list of them.
#pragma once

#include <span>
#include <string>

#include "record/case_json.hpp"
#include "record/record.hpp"

namespace edgecase::cli {

/// For `edgecase ray ID`: status, cause and who; what happened; the fix; the request; the timeline;
/// every attempt with its connection's history; the evidence. Ends with a newline.
std::string case_text(const record::Record& record, bool colour,
                      record::Secrets secrets = record::Secrets::redacted);

/// For `edgecase cases`: time, ray, status, cause, attempts, host and path, one line each, below a
/// heading. Ends with a newline.
std::string case_list_text(std::span<const record::Record> records, bool colour);

}  // namespace edgecase::cli
