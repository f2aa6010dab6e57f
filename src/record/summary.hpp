// Owns the one sentence that says what happened to a request.
#pragma once

#include <string>

#include "cause/evidence.hpp"
#include "record/record.hpp"

namespace edgecase::record {

/// The reason of the cause's row, sharpened with the figures at hand: `... limit (40123 bytes,
/// limit 32768; largest: set-cookie: 31000 bytes).` Free of secrets and of control bytes.
std::string summary(const Record& record);

/// The same for one attempt.
std::string summary(const Attempt& attempt);

/// `text` as evidence may be shown: secrets replaced as in a sample (base::redact), sizes
/// (`set-cookie: 31000 bytes`) kept.
std::string redact_evidence_text(std::string_view text);

}  // namespace edgecase::record
