// Owns the way from a time to the rays that were made then.
#pragma once

#include "base/clock.hpp"
#include "record/ray_id.hpp"

namespace edgecase::record {

/// The lowest ray made at or after `time`.
RayId first_ray_at(base::WallTime time);

}  // namespace edgecase::record
