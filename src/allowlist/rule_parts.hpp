// Owns the parts from which readers of simple dialects make rules: matches, chains at a hook.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "allowlist/nft_keys.hpp"
#include "allowlist/readers.hpp"

namespace edgecase::allowlist {

/// The edge's address is one of these. Empty: it is none of them.
Match from_addresses(std::span<const AddressRange> ranges, bool is_negated = false);
Match to_addresses(std::span<const AddressRange> ranges);
Match to_ports(std::span<const PortRange> ports);
Match only_family(ip::Family family);
Match rate_limit();

constexpr AddressRange everyone(ip::Family family) {
    return {family, {ip::Number{}, ip::last_of(family)}};
}

Rule make_rule(Action action, std::vector<Match> matches, Place place, std::string text = {});
/// As a web server refuses: the edge passes its status through.
Rule make_refusal(uint16_t http_status, std::vector<Match> matches, Place place);

/// A chain of its own, run at `stage`, whose name it takes.
void add_stage(Ruleset& rules, Stage stage, std::vector<Rule> chain);

/// Words between blanks; a word in double quotes is one.
std::vector<std::string> words_of(std::string_view line);

}  // namespace edgecase::allowlist
