// Owns the verdict on an examined origin: what is wrong, how likely, why it is thought so, the fix.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "cause/table.hpp"
#include "config/settings.hpp"
#include "diagnose/trace_summary.hpp"
#include "probe/facts.hpp"
#include "probe/trial.hpp"

namespace edgecase::diagnose {

/// What a verdict is drawn from.
struct Examination {
    const probe::Facts& facts;
    const std::deque<probe::Trial>& trials;
    const config::Settings& settings;
    std::string target;  // the path asked about
    /// What the origin's and the edge's logs say, if they were given.
    std::vector<CauseSum> logged;
};

struct Finding {
    cause::Cause cause = cause::Cause::none;
    double likelihood = 0;  // 0 to 1, that this is why visitors see errors
    Guide guide = Guide::other;
    std::vector<std::string> evidence_for;
    std::vector<std::string> evidence_against;
    std::string fix;
    std::vector<std::string> rays;  // of trials that ended so, at most kRays
    static constexpr size_t kRays = 5;
};

/// What does not break requests now, and is worth changing.
struct Advice {
    std::string topic;  // keep_alive, headers...
    std::string what;
    std::string fix;
};

/// One of the guide's six causes for which nothing speaks.
struct RuledOut {
    Guide guide;
    std::string why;
};

struct Verdict {
    std::vector<Finding> findings;  // the most likely first; empty: nothing is wrong
    std::vector<Advice> advice;
    std::vector<RuledOut> ruled_out;
};

Verdict judge(const Examination& examination);

/// What is worth changing beside the findings.
std::vector<Advice> advise(const Examination& examination);

/// What speaks for and against `finding.cause`.
void gather_evidence(const Examination& examination, Finding& finding);

}  // namespace edgecase::diagnose
