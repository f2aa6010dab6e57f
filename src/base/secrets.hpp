// Owns the recognition of credentials: by the name they are given, and where they stand in a text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace edgecase::base {

/// Whether a header, cookie or parameter of that name holds what is not shown unless asked for.
/// Case, percent-encoding, and bytes that no name may have make no difference.
bool is_sensitive_name(std::string_view name);

/// Whether a field of that name authenticates or holds state: narrower than the above, which errs
/// on the long side and must decide only what is shown, never what is forwarded (a trailer's
/// signature is to arrive).
bool is_sensitive_field(std::string_view name);

/// Bytes [begin, end) of a text that are to be hidden, and where the name they belong to begins
/// (at `begin` for userinfo, which has none).
struct SecretSpan {
    size_t name_begin = 0;
    size_t begin = 0;
    size_t end = 0;

    bool operator==(const SecretSpan&) const = default;
};

/// The secrets in one line of text, in order and apart: values of sensitive names (`token=...`,
/// `;jsessionid=...`, `"password": "..."`) and userinfo (`//user:password@`), percent-encoded up to
/// three times or not.
std::vector<SecretSpan> secret_spans(std::string_view line);

/// `line` with each secret replaced by `[redacted]`.
std::string without_secrets(std::string_view line);

/// The name of the secret that is open at `at` of `line`, its value or the name itself having begun
/// before; empty if there is none. Always a sensitive name.
std::string open_secret(std::string_view line, size_t at);

}  // namespace edgecase::base
