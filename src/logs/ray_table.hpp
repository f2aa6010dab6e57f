// Owns the set of Ray IDs that are looked for, made to be asked once for each line of a log.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <vector>

namespace edgecase::logs {

class RayTable {
  public:
    static constexpr uint32_t kAbsent = UINT32_MAX;

    explicit RayTable(size_t count)
        : mask_(std::bit_ceil(std::max<size_t>(16, 2 * count)) - 1),
          slots_(mask_ + 1),
          sieve_mask_(std::clamp<size_t>(std::bit_ceil(8 * count), 1024, kMaximumSieve) - 1),
          sieve_((sieve_mask_ + 1) / 64) {}

    /// A Ray ID may come twice: the one of the first counts.
    void add(uint64_t ray, uint32_t index) {
        if (ray == 0) return;
        for (const int shift : kShifts) {
            const size_t bit = sieve_place(ray, shift);
            sieve_[bit / 64] |= uint64_t{1} << bit % 64;
        }
        size_t at = place(ray);
        while (slots_[at].ray != 0 && slots_[at].ray != ray) at = (at + 1) & mask_;
        if (slots_[at].ray == 0) slots_[at] = {ray, index};
    }
    uint32_t find(uint64_t ray) const {
        if (ray == 0) return kAbsent;
        for (const int shift : kShifts) {
            const size_t bit = sieve_place(ray, shift);
            if ((sieve_[bit / 64] >> bit % 64 & 1) == 0) return kAbsent;
        }
        for (size_t at = place(ray); slots_[at].ray != 0; at = (at + 1) & mask_) {
            if (slots_[at].ray == ray) return slots_[at].index;
        }
        return kAbsent;
    }

  private:
    struct Slot {
        uint64_t ray = 0;
        uint32_t index = kAbsent;
    };
    size_t place(uint64_t ray) const { return (ray * 0x9e3779b97f4a7c15u >> 20) & mask_; }
    size_t sieve_place(uint64_t ray, int shift) const {
        return (ray * 0x9e3779b97f4a7c15u >> shift) & sieve_mask_;
    }

    // Most lines have a ray that nobody looks for. Two bits for each wanted one (a Bloom filter)
    // tell so out of the processor's near cache, where the slots would not find room.
    static constexpr std::array kShifts{32, 43};
    static constexpr size_t kMaximumSieve = size_t{1} << 21;

    size_t mask_;
    std::vector<Slot> slots_;
    size_t sieve_mask_;
    std::vector<uint64_t> sieve_;
};

}  // namespace edgecase::logs
