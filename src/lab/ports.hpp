// Owns the addresses a running lab answers on, one per target.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "ip/endpoint.hpp"
#include "lab/scenario.hpp"

namespace edgecase::lab {

struct Ports {
    ip::Endpoint main;
    ip::Endpoint reuse;
    ip::Endpoint closed;
    ip::Endpoint full_queue;
    ip::Endpoint dns;            // UDP: the resolver for Target::dns
    ip::Endpoint resolver_down;  // UDP: the resolver for Target::resolver_down
    ip::Endpoint tls;
    ip::Endpoint tls_reuse;
    ip::Endpoint h2;
    std::map<std::string_view, ip::Endpoint> own;  // by the scenario's name
    std::string files;                             // the directory of the lab's certificates

    /// What the edge must trust: a PEM file with the lab's root CA.
    std::string ca_file() const { return files + "/ca.pem"; }

    /// What the edge connects to for a scenario.
    const ip::Endpoint& origin(const Scenario& scenario) const;
    /// The resolver the edge must use for a target. Errors: null when it needs none.
    const ip::Endpoint* resolver(Target target) const;
    /// The scenario's `edge_config`, with {files} filled in.
    std::string edge_config(const Scenario& scenario) const;
};

}  // namespace edgecase::lab
