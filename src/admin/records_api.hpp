// Owns the answers about records: one ray, lists of cases, traffic.
#pragma once

#include <nlohmann/json.hpp>

#include "admin/message.hpp"
#include "record/source.hpp"

namespace edgecase::admin {

/// A record in a list: its case file in one line. Redacted.
nlohmann::ordered_json case_row(const record::Record& record);

/// `Edgecase-Missing`: which parts of a ledger did not take part in the answer.
void add_missing(Response& response, record::Source& source);

Response answer_ray(const Request& request, std::string_view ray, record::Source& source);
Response answer_cases(const Request& request, record::Source& source, base::WallTime now);
Response answer_traffic(const Request& request, record::Source& source, base::WallTime now);
Response answer_nodes(record::Source& source, base::WallTime now);
Response answer_cause(std::string_view name);

}  // namespace edgecase::admin
