// Owns the reading of clouds' rules in JSON: what an array of objects says, made rules.
#pragma once

#include <nlohmann/json.hpp>

#include "allowlist/rule_parts.hpp"

namespace edgecase::allowlist {

/// The document, or the place where it is no JSON.
std::expected<nlohmann::json, ReadError> parse_cloud_json(const Source& source);

/// A member as text: strings and numbers. Empty: there is none.
std::string text_at(const nlohmann::json& object, const char* key);
/// A member that is a number, or a string of one. Errors: nullopt.
std::optional<int64_t> number_at(const nlohmann::json& object, const char* key);
/// A member that is true.
bool is_true_at(const nlohmann::json& object, const char* key);
/// The array, or one without elements.
const nlohmann::json& array_at(const nlohmann::json& object, const char* key);
/// Its strings, of one member or of an array of them.
std::vector<std::string> strings_at(const nlohmann::json& object, const char* one,
                                    const char* many);

/// Ranges among `texts`; what is none is left for the caller in `others`.
std::vector<AddressRange> ranges_among(const std::vector<std::string>& texts,
                                       std::vector<std::string>& others);

}  // namespace edgecase::allowlist
