// Owns the ways HTTP/1.1 bytes can be wrong: one rule, one name, no culprit.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/sample.hpp"

namespace edgecase::h1 {

/// What was broken. Who broke it is for the caller to say, who knows the role.
enum class Rule : uint8_t {
    none,
    not_http,  // the first bytes belong to no HTTP/1 message; see Fingerprint
    bad_start_line,
    bad_version,
    bad_method,
    bad_target,
    status_missing,
    status_not_numeric,
    status_too_short,
    status_too_long,
    status_out_of_range,
    bad_reason_phrase,
    space_before_colon,
    bad_name_byte,
    empty_name,
    no_colon,
    nul_in_value,
    control_in_value,
    obs_fold,
    bare_lf,
    bare_cr,
    start_line_too_large,
    section_too_large,
    line_too_large,
    too_many_fields,
    conflicting_length,
    duplicate_length,
    bad_length,
    length_and_coding,
    unknown_coding,
    chunked_not_final,  // repeated, or not last
    coding_in_http10,
    missing_host,
    duplicate_host,
    bad_host,
    unknown_expectation,
    bad_chunk_size,
    bad_chunk_extension,
    bad_chunk_end,
    bad_trailer,
    trailers_too_large,
};

std::string_view to_string(Rule rule);

/// What the first bytes look like when they are not HTTP/1.
enum class Fingerprint : uint8_t { none, tls, ssh, smtp, html, h2, proxy_protocol, text, binary };

std::string_view to_string(Fingerprint fingerprint);

/// Recognises a protocol by its first bytes. `bytes` may be short: `none` means "cannot say yet".
/// Source: RFC 8446 §5.1 (TLS records), RFC 4253 §4.2, RFC 5321 §4.2 (220), RFC 9113 §3.4 and §4.1.
Fingerprint fingerprint(std::string_view bytes);

/// The same when no more bytes will come: decides with what is there; `none` only for no bytes.
Fingerprint final_fingerprint(std::string_view bytes);

/// As many bytes decide a fingerprint always; the longest signature has 12, text needs some more to
/// be told from binary data that happens to begin with letters.
inline constexpr size_t kFingerprintBytes = 24;

/// One breach: the rule, where, and what the bytes looked like.
struct ParseError {
    Rule rule = Rule::none;
    uint64_t offset = 0;  // of the offending byte, from the first byte of the message (head rules)
                          // or of the body (chunk and trailer rules)
    base::Sample sample;
    Fingerprint fingerprint = Fingerprint::none;
    std::string field;                // the field concerned, if one is
    std::vector<std::string> values;  // for conflicting, bad or unknown values
    uint64_t limit = 0;               // for the "too large" and "too many" rules
    uint64_t seen = 0;                // what was seen when the limit was passed
    /// For the size rules: the largest (or most repeated) fields as `name: N bytes` / `name: N
    /// times`, at most five.
    std::vector<std::string> largest_fields;
};

/// A field name kept as evidence is cut here; a hostile one may be as long as a line.
inline constexpr size_t kMaxEvidenceNameBytes = 256;
/// The same for one value of ParseError::values, and for how many there are.
inline constexpr size_t kMaxEvidenceValueBytes = 128;
inline constexpr size_t kMaxEvidenceValues = 8;

/// The breach of `rule` at `offset` of `message`, whose first byte has offset 0, with its sample.
/// The sample never begins before `line_start`; `field` is the field concerned, if one is.
ParseError breach(Rule rule, std::string_view message, size_t offset, size_t line_start,
                  std::string_view field = {});

/// Adds a value as evidence, cut to the bounds above.
void add_value(ParseError& error, std::string_view value);

}  // namespace edgecase::h1
