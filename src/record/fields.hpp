// Owns the field table: every Logpush-named field of a record, its type and its meaning.
#pragma once

#include <span>
#include <string_view>

namespace edgecase::record {

struct Field {
    std::string_view name;  // as in Logpush, or OriginFailure*
    std::string_view type;  // int, string, bool, array, object
    std::string_view unit;  // ms, bytes, or empty
    std::string_view meaning;
    bool is_logpush;  // Cloudflare has a field of this name
};

std::span<const Field> fields();

}  // namespace edgecase::record
