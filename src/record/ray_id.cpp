#include "record/ray_id.hpp"

#include <algorithm>

namespace edgecase::record {
namespace {

constexpr unsigned kLowBits = RayId::kNodeBits + RayId::kWorkerBits;

}  // namespace

std::optional<RayId> RayId::parse(std::string_view text) {
    if (text.size() > 17 && text[16] == '-') text = text.substr(0, 16);
    const auto value = base::parse_hex16(text);
    if (!value) return std::nullopt;
    return RayId(*value);
}

base::WallTime RayId::time() const {
    return kEpoch + std::chrono::microseconds((value_ >> kLowBits) * kTickUs);
}

RayIdMaker::RayIdMaker(unsigned node, unsigned worker)
    : low_bits_(uint64_t{node % RayId::kMaximumNodes} << RayId::kWorkerBits |
                worker % RayId::kMaximumWorkers) {}

RayId RayIdMaker::make(base::WallTime now) {
    const auto since = (now - RayId::kEpoch).count();
    const uint64_t tick = since > 0 ? static_cast<uint64_t>(since) / RayId::kTickUs : 0;
    last_tick_ = std::max(last_tick_ + 1, tick);
    return RayId(last_tick_ << kLowBits | low_bits_);
}

}  // namespace edgecase::record
