// Owns the memory of which streams we reset lately.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace edgecase::h2 {

/// Frames that were under way when we reset their stream are no fault. Those on streams older than
/// the memory reaches get the benefit of the doubt.
class IdRing {
  public:
    static constexpr size_t kKept = 1024;  // more resets than that within a round trip are rare

    void add(uint32_t id) {
        if (ids_.size() < kKept) {
            ids_.push_back(id);
            return;
        }
        forgotten_ = std::max(forgotten_, ids_[next_]);
        ids_[next_] = id;
        next_ = (next_ + 1) % kKept;
    }
    bool may_hold(uint32_t id) const {
        return id <= forgotten_ || std::ranges::find(ids_, id) != ids_.end();
    }

  private:
    std::vector<uint32_t> ids_;
    size_t next_ = 0;
    uint32_t forgotten_ = 0;
};

}  // namespace edgecase::h2
