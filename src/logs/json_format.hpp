// Owns access logs of one JSON object a line.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "logs/access_formats.hpp"
#include "logs/template_format.hpp"

namespace edgecase::logs {

struct JsonField {
    std::string name;  // with dots: `request.headers.Cf-Ray`; compared without case
    Slot slot;
    int64_t unit_ns = 0;  // of a duration
};

struct JsonMap {
    std::string name;
    std::vector<JsonField> fields;
    Moment moment = Moment::end;
    bool by_last_part = false;  // `a.status` is `status` too
    bool moment_is_known = true;
};

AccessFormatPtr json_format(JsonMap map);

/// `time=ts,ray=headers.cf-ray,...`. Errors: one sentence.
std::expected<JsonMap, std::string> json_map(std::string_view text);

JsonMap caddy_map();
JsonMap traefik_map();
JsonMap envoy_map();
JsonMap usual_map();

}  // namespace edgecase::logs
