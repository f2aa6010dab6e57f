// Owns the names of TLS alerts.
#pragma once

#include <string_view>

namespace edgecase::tls {

/// As RFC 8446 section 6 and its predecessors spell it (`handshake_failure`); `alert` for a number
/// that nobody has registered.
std::string_view alert_name(int number);

}  // namespace edgecase::tls
