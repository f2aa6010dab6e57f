// Owns a request as one line of an access log.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "record/record.hpp"

namespace edgecase::access_log {

enum class Format : uint8_t {
    json,      // Logpush's names, see record/fields.hpp
    combined,  // nginx's
};

/// Appends the line with its end. Credentials in URIs are redacted in either form.
void append_line(std::string& out, const record::Record& record, Format format);

/// As nginx writes a variable in a log: `\xHH` for `"`, `\`, control bytes and those beyond ASCII;
/// `-` for nothing. Source: ngx_http_log_module, escape=default.
void append_escaped(std::string& out, std::string_view text);

}  // namespace edgecase::access_log
