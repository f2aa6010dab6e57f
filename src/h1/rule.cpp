#include "h1/rule.hpp"

#include <cstddef>
#include <string_view>

#include "base/sample.hpp"

namespace edgecase::h1 {

std::string_view to_string(Rule rule) {
    switch (rule) {
        case Rule::none:
            return "none";
        case Rule::not_http:
            return "not_http";
        case Rule::bad_start_line:
            return "bad_start_line";
        case Rule::bad_version:
            return "bad_version";
        case Rule::bad_method:
            return "bad_method";
        case Rule::bad_target:
            return "bad_target";
        case Rule::status_missing:
            return "status_missing";
        case Rule::status_not_numeric:
            return "status_not_numeric";
        case Rule::status_too_short:
            return "status_too_short";
        case Rule::status_too_long:
            return "status_too_long";
        case Rule::status_out_of_range:
            return "status_out_of_range";
        case Rule::bad_reason_phrase:
            return "bad_reason_phrase";
        case Rule::space_before_colon:
            return "space_before_colon";
        case Rule::bad_name_byte:
            return "bad_name_byte";
        case Rule::empty_name:
            return "empty_name";
        case Rule::no_colon:
            return "no_colon";
        case Rule::nul_in_value:
            return "nul_in_value";
        case Rule::control_in_value:
            return "control_in_value";
        case Rule::obs_fold:
            return "obs_fold";
        case Rule::bare_lf:
            return "bare_lf";
        case Rule::bare_cr:
            return "bare_cr";
        case Rule::start_line_too_large:
            return "start_line_too_large";
        case Rule::section_too_large:
            return "section_too_large";
        case Rule::line_too_large:
            return "line_too_large";
        case Rule::too_many_fields:
            return "too_many_fields";
        case Rule::conflicting_length:
            return "conflicting_length";
        case Rule::duplicate_length:
            return "duplicate_length";
        case Rule::bad_length:
            return "bad_length";
        case Rule::length_and_coding:
            return "length_and_coding";
        case Rule::unknown_coding:
            return "unknown_coding";
        case Rule::chunked_not_final:
            return "chunked_not_final";
        case Rule::coding_in_http10:
            return "coding_in_http10";
        case Rule::missing_host:
            return "missing_host";
        case Rule::duplicate_host:
            return "duplicate_host";
        case Rule::bad_host:
            return "bad_host";
        case Rule::unknown_expectation:
            return "unknown_expectation";
        case Rule::bad_chunk_size:
            return "bad_chunk_size";
        case Rule::bad_chunk_extension:
            return "bad_chunk_extension";
        case Rule::bad_chunk_end:
            return "bad_chunk_end";
        case Rule::bad_trailer:
            return "bad_trailer";
        case Rule::trailers_too_large:
            return "trailers_too_large";
    }
    return "none";
}

ParseError breach(Rule rule, std::string_view message, size_t offset, size_t line_start,
                  std::string_view field) {
    ParseError error;
    error.rule = rule;
    error.offset = offset;
    error.field = field.substr(0, kMaxEvidenceNameBytes);
    error.sample = base::cut_sample(message, offset, line_start, error.field);
    return error;
}

void add_value(ParseError& error, std::string_view value) {
    if (error.values.size() >= kMaxEvidenceValues) return;
    error.values.emplace_back(value.substr(0, kMaxEvidenceValueBytes));
}

}  // namespace edgecase::h1
