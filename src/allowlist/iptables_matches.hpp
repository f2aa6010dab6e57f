// Owns the matches of iptables' rules: its own options and those of its extensions.
#pragma once

#include "allowlist/iptables_words.hpp"
#include "allowlist/readers.hpp"

namespace edgecase::allowlist {

/// What the options of one rule gather before they become matches.
struct IptablesRule {
    ip::Family family = ip::Family::v4;
    std::vector<Match> matches;
    std::string_view module;  // the one named last by -m
    std::string_view recent;  // options of `recent`, until all are read
    bool recent_counts = false;
    bool recent_only_sets = false;
    bool recent_is_negated = false;
};

/// Reads one option with its values; the words are behind its name. What is not modelled gives
/// an unknown match. What iptables itself would refuse, or null.
const char* read_iptables_match(Reading& into, IptablesRule& rule, std::string_view option,
                                bool is_negated, IptablesWords& words);

/// Closes what took several options.
void end_iptables_matches(IptablesRule& rule);

}  // namespace edgecase::allowlist
