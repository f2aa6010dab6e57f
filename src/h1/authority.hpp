// Owns the check of HOST[:PORT] as it stands in Host fields and targets.
#pragma once

#include <cstdint>
#include <string_view>

namespace edgecase::h1 {

enum class PortNeed : uint8_t { optional, required };

struct AuthorityCheck {
    bool ok = true;
    size_t bad_offset = 0;  // of the first byte that is wrong, within the text; may be its size
};

/// Names of letters, digits, `-`, `.`, `_`, `~`; IPv4; `[IPv6]`; a port of 0 to 65535. Narrower
/// than RFC 3986: no user information, no `%`, no sub-delims, no empty host or port
/// (docs/adr/0001).
AuthorityCheck check_authority(std::string_view text, PortNeed port);

}  // namespace edgecase::h1
