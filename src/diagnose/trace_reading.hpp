// Owns the reading of one traced ray: why it failed, in one of our own causes.
#pragma once

#include <string>
#include <string_view>

#include "cause/table.hpp"
#include "logs/edge_ray.hpp"

namespace edgecase::diagnose {

struct Reading {
    cause::Cause cause = cause::Cause::none;  // none: it did not fail, or nothing tells
    double confidence = 0;                    // 0 to 1, that it is this cause
    std::string pair;                         // what the two statuses mean together
    std::string logs;                         // what the origin's logs add; empty: nothing
    std::string fix;
};

/// What the statuses of the edge and of the origin mean together. One sentence.
/// Source: Cloudflare, Origin analytics and the pages of the 52x codes.
std::string_view meaning_of(const logs::EdgeRay& edge);

Reading read(const logs::TracedRay& ray);

}  // namespace edgecase::diagnose
