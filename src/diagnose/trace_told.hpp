// Owns what the origin's logs say of one traced ray, and which of our causes that speaks for.
#pragma once

#include <optional>
#include <string>

#include "cause/table.hpp"
#include "logs/edge_ray.hpp"

namespace edgecase::diagnose {

struct Told {
    cause::Cause cause;  // of an edge that gave no reason of its own; none: several it may be
    double confidence;
    std::string logs;
    std::string fix{};  // empty: the cause's own
    bool on_purpose = false;
};

/// By a line that names the request, or by its own line in the access log where that is beyond
/// doubt (`return 444`, a termination state of HAProxy).
std::optional<Told> told_of_it(const logs::TracedRay& ray);

/// By what happened at that moment, to whomever; `cause`: what is known of the failure, and none if
/// nothing is. Only what can lead to such a failure.
std::optional<Told> told_near_it(const logs::TracedRay& ray, cause::Cause cause);

/// By what the access log says it answered.
std::optional<Told> told_by_line(const logs::TracedRay& ray);

}  // namespace edgecase::diagnose
