// Owns the remembering of rays that were given lately.
#pragma once

#include <cstddef>
#include <deque>
#include <unordered_set>

#include "record/ray_id.hpp"

namespace edgecase::record {

/// So many of the last ones: enough for any that could come twice.
class RememberedRays {
  public:
    static constexpr size_t kMaximum = 65'536;

    /// False: it was there already.
    bool add(RayId ray) {
        if (!known_.insert(ray.value()).second) return false;
        order_.push_back(ray.value());
        if (order_.size() > kMaximum) {
            known_.erase(order_.front());
            order_.pop_front();
        }
        return true;
    }

    bool contains(RayId ray) const { return known_.contains(ray.value()); }

  private:
    std::unordered_set<uint64_t> known_;
    std::deque<uint64_t> order_;
};

}  // namespace edgecase::record
