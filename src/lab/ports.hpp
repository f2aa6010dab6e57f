// Owns the addresses a running lab answers on, one per target.
#pragma once

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

    /// What the edge connects to for a target.
    const ip::Endpoint& origin(Target target) const;
    /// The resolver the edge must use for a target. Errors: null when it needs none.
    const ip::Endpoint* resolver(Target target) const;
};

}  // namespace edgecase::lab
