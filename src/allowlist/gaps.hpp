// Owns where something has to be let through so that every range gets in, and its answers out.
#pragma once

#include <string>
#include <vector>

#include "allowlist/report.hpp"

namespace edgecase::allowlist {

/// Connections that one stage stops. Once their packets are accepted before anything else is asked
/// there, and so in all gaps, they are admitted.
struct Gap {
    uint32_t stage = 0;  // of the rule set
    ip::Family family = ip::Family::v4;
    std::string chain;             // of the first rule that stops some
    bool is_told_by_state = true;  // of replies: connection tracking knows them there
    std::vector<uint16_t> ports;
    std::vector<ip::Cidr> ranges;  // ascending, none in another
};

/// In the order in which packets meet them: first all ways in, then the ways out. Only what is
/// surely stopped, or by a rate limit; what is unknown has no gap.
std::vector<Gap> find_gaps(const Ruleset& rules, const Published& published,
                           const CheckOptions& options);

}  // namespace edgecase::allowlist
