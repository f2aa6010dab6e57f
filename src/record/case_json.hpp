// Owns the case file as JSON: the contract of `ray --json` and `cases --json`.
#pragma once

#include <nlohmann/json.hpp>

#include "record/record.hpp"
#include "record/redact_uri.hpp"

namespace edgecase::record {

enum class Secrets : bool { redacted, shown };

/// `ray_id, edge_status, origin_status, cause, phase, actor, summary, fix, evidence{}, attempts[]`
/// and the rest of the record. Durations are milliseconds with a fraction, null when the phase was
/// not reached. Strings are always valid UTF-8 (see json_text.hpp). Samples appear as
/// {offset, first_offset, text (escaped), caret (column in text), field}.
nlohmann::ordered_json case_json(const Record& record, Secrets secrets);

/// The `attempts[]` of it alone.
nlohmann::ordered_json attempts_json(const Record& record, Secrets secrets);

nlohmann::ordered_json evidence_json(const cause::Evidence& evidence, Secrets secrets);

/// RFC 3339 in UTC with milliseconds: `2026-11-24T13:38:07.123Z`.
std::string rfc3339(base::WallTime time);

}  // namespace edgecase::record
