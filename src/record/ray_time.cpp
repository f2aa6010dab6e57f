#include "record/ray_time.hpp"

namespace edgecase::record {

RayId first_ray_at(base::WallTime time) {
    if (time <= RayId::kEpoch) return RayId(0);
    const auto since = static_cast<uint64_t>((time - RayId::kEpoch).count());
    const uint64_t tick = (since + RayId::kTickUs - 1) / RayId::kTickUs;
    if (tick >> (64 - RayId::kNodeBits - RayId::kWorkerBits) != 0) return RayId(~uint64_t{0});
    return RayId(tick << (RayId::kNodeBits + RayId::kWorkerBits));
}

}  // namespace edgecase::record
