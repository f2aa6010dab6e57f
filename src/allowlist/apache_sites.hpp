// Owns what Apache's sections come to for whole sites, port by port.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "allowlist/apache_reader.hpp"

namespace edgecase::allowlist {

struct SiteVerdict {
    PortRange ports;
    Let let = Let::all();
    bool is_decided = false;  // false: nothing says anything
    Place place;
    std::string where;     // for people: the section that decides
    std::string doubt;     // what makes it unknown, if that is one thing
    size_t differing = 0;  // so many hosts of the port let in others
};

/// All ports, ascending. Errors: more hosts and sections than can be compared.
std::expected<std::vector<SiteVerdict>, std::string> verdicts_of(const ApacheConfig& config);

/// Of the parts of a site that have rules of their own.
std::vector<std::string> notes_on_parts(const ApacheConfig& config, const Ruleset& rules);

}  // namespace edgecase::allowlist
