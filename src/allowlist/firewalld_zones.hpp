// Owns the zones of firewalld, from whatever form they were read, and what they come to together.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "allowlist/model.hpp"
#include "allowlist/sets.hpp"

namespace edgecase::allowlist {

struct FirewalldZone {
    std::string name;
    Place place;
    bool is_default = false;       // what is in no zone is in this one
    bool is_said_default = false;  // it is known, and not only usual
    std::string target = "default";
    Place target_place;
    std::vector<std::string> interfaces;
    std::vector<std::string> sources;
    std::vector<Rule> denying;
    std::vector<Rule> admitting;
    std::multimap<int, Rule> by_priority;  // rich rules with one: below 0 first, above 0 last

    void add_service(const std::string& service, const Place& at);
    /// `8443/tcp`, `8000-8100/tcp`
    void add_port(std::string_view text, const Place& at, bool is_source);
    void add_protocol(std::string_view protocol, const Place& at);
    void add_forwarding(const Place& at);
    /// The words of `rule family="ipv4" source address="1.2.3.0/24" port port="443"
    /// protocol="tcp" accept`; their quotes are gone.
    void add_rich_rule(Sets& sets, const std::vector<std::string>& words, const Place& at);
};

/// The zones of all files are those of one firewall.
struct FirewalldZones {
    std::vector<FirewalldZone> zones;
    bool are_all = false;       // no other zone has any interface
    std::string default_zone;   // of firewalld.conf; empty: not known
    uint32_t file = 0;          // the first
    bool is_permanent = false;  // of files: who runs may have put interfaces into zones
};

/// Adds the stage, when all files have been read.
void finish_firewalld(Ruleset& rules, Sets& sets, FirewalldZones&& all);

}  // namespace edgecase::allowlist
