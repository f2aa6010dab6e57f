// Owns the trial: one request that was made of the origin, what was asked, how it ended.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "cause/failure.hpp"
#include "origin/own_request.hpp"
#include "record/ray_id.hpp"
#include "record/record.hpp"

namespace edgecase::probe {

enum class Kind : uint8_t {
    plain,     // as the edge would send it for a visitor
    varied,    // the same but for one thing, its factor
    provoked,  // made so that an origin may refuse it: its failure accuses nobody by itself
};

std::string_view to_string(Kind kind);

struct Trial {
    record::RayId ray;
    base::WallTime at{};
    std::string_view probe;  // which one asked; a literal
    Kind kind = Kind::plain;
    std::string_view factor;  // of a varied one: `user agent`, `protocol`...; a literal
    std::string value;        // what the factor was
    std::string method;
    std::string target;
    std::string host;
    bool fresh = true;  // on a connection made for it
    record::Attempt attempt;
    std::vector<record::Attempt> others;  // to other addresses of the name, before or meanwhile
    origin::OwnAnswer answer;
    std::optional<cause::Failure> failure;

    /// A 5xx of the origin's own counts, as origin.status.
    cause::Cause cause() const;
    bool failed() const { return cause() != cause::Cause::none; }
};

/// How long the origin took to the first byte, or to the end of a trial that gave none.
std::chrono::milliseconds time_of(const Trial& trial);

}  // namespace edgecase::probe
