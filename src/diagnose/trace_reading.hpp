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
    bool arrived = false;     // it left no line, and the edge's own record proves that it arrived
    bool on_purpose = false;  // the origin closed because a rule of its own says so
};

constexpr std::string_view kLeftNoLineOutcome = "left_no_line";

/// The ray's outcome in a word, `left_no_line` for one that arrived all the same.
std::string_view outcome_of(const logs::TracedRay& ray, const Reading& reading);

/// What the statuses of the edge and of the origin mean together. One sentence.
/// Source: Cloudflare, Origin analytics and the pages of the 52x codes.
std::string_view meaning_of(const logs::EdgeRay& edge);

Reading read(const logs::TracedRay& ray);

}  // namespace edgecase::diagnose
