// Owns how much an event says of a request near it.
#pragma once

#include <vector>

#include "logs/edge_ray.hpp"

namespace edgecase::logs {

enum class Naming : uint8_t {
    none,
    another,  // a request, but not this one
    script,   // the script that the request asked for
    request,  // this very request, by Ray ID or by method and URI
};

Naming naming_of(const Event& event, const EdgeRay& edge);

/// How much an event says of a request near it, beyond its nearness: 0 to 4.
int weight_of(EventKind kind);

/// Above 0 if the event may be about the ray; more, the more it says.
double relevance(const TracedRay& ray, const Event& event);

/// Gives the end of a process the request that it was at work on, where an event just before names
/// it (PHP-FPM says which script it ends, and then that its process ended). `events`: in order.
void name_ends(std::vector<Event>& events);

/// Whether it may have happened while the origin was at work on the request, or up to `before_us`
/// earlier, as far as the two clocks and the digits of the times tell.
bool is_during(const TracedRay& ray, const Event& event, int64_t before_us = 0);

}  // namespace edgecase::logs
