// Owns the taking of text out of a JSON value.
#pragma once

#include <simdjson.h>

#include <string_view>

#include "base/ascii.hpp"

namespace edgecase::logs {

/// Text, or a number as its text; anything else leaves `into` as it is. False: the JSON is broken.
inline bool take_text(simdjson::ondemand::value value, std::string_view& into) {
    simdjson::ondemand::json_type type{};
    if (value.type().get(type) != simdjson::SUCCESS) return false;
    if (type == simdjson::ondemand::json_type::string) {
        return value.get_string().get(into) == simdjson::SUCCESS;
    }
    if (type == simdjson::ondemand::json_type::number) into = base::trim(value.raw_json_token());
    return true;
}

}  // namespace edgecase::logs
