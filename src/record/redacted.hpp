// Owns what of a record may leave the machine.
#pragma once

#include "record/record.hpp"

namespace edgecase::record {

/// Replaces every credential by `[redacted]`, in the request's texts and in the evidence: what is
/// left is what case_json() shows by default.
void redact(Record& record);

}  // namespace edgecase::record
