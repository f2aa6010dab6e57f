// Owns fetching a published list over the network: https, bounded in size and time.
#pragma once

#include <expected>
#include <string>

#include "allowlist/source.hpp"

namespace edgecase::cli {

constexpr size_t kMaxListBytes = size_t{4} << 20;  // a list of ranges has kilobytes
constexpr long kFetchSeconds = 30;
constexpr long kSlowSeconds = 10;  // so long at less than kSlowBytes a second, and it is given up
constexpr long kSlowBytes = 100;

bool is_url(const std::string& text);

/// https; plain http to loopback addresses alone. `ca`: a PEM file with the authorities that are
/// trusted; empty: the system's. Errors: a sentence with the URL.
std::expected<allowlist::Source, std::string> fetch(const std::string& url, const std::string& ca);

}  // namespace edgecase::cli
