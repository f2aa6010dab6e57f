// Owns the edge's published ranges: the list built in, and the forms in which it is published.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "allowlist/source.hpp"
#include "ip/address_set.hpp"

namespace edgecase::allowlist {

struct Published {
    std::string source;  // for people
    std::string date;    // of the list built in; empty when the source has none
    std::vector<ip::Cidr> ranges;

    ip::AddressSet of(ip::Family family) const;
};

constexpr size_t kMaxPublished = 10'000;  // ranges of one list: hundreds of times what edges have

/// Source: Cloudflare's published list as of 2026-11 (/ips-v4, /ips-v6).
Published built_in();

/// Ranges that were published once and no longer are: only old lists have them.
std::vector<ip::Cidr> retired();

/// A list of one range a line (`#` begins a comment), or the JSON of Cloudflare's API
/// (`{"result": {"ipv4_cidrs": [...], "ipv6_cidrs": [...]}, "success": true}`).
/// Errors: a line that is no range, an address without a prefix length, bits behind the prefix, an
/// empty list.
std::expected<Published, ReadError> parse_published(const Source& source);

/// Why a range does not belong on a list that opens a firewall: too broad, private or reserved.
/// Empty: it may.
std::string objection_to(const ip::Cidr& range);
/// The same for each of its ranges, and for all together.
std::string objection_to(const Published& list);

}  // namespace edgecase::allowlist
