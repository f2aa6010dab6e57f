// Owns what `edgecase explain` says of statuses and causes.
#pragma once

#include <expected>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace edgecase::cli {

/// For `edgecase explain CODE|CAUSE`: a status the edge makes (`520`) or the number its page shows
/// (`1016`), a cause (`resp.empty_fin`) or a whole phase (`resp`), in any case. Ends with a
/// newline. Errors: one sentence, with the nearest name if one is near.
std::expected<std::string, std::string> explain_text(std::string_view status_or_cause, bool colour);
/// The same as JSON: {status, error_code, title, name, causes[]} for a status, a row for a cause,
/// rows for a phase.
std::expected<nlohmann::ordered_json, std::string> explain_json(std::string_view status_or_cause);

/// For `edgecase explain --list`.
std::string explain_list_text(bool colour);
/// Rows: name, number, phase, actor, status, proxy_error, retry, reason, fix, source,
/// words[{system, word}].
nlohmann::ordered_json explain_list_json();

}  // namespace edgecase::cli
