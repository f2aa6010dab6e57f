#include "cli/large_heap.hpp"

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <limits>

namespace edgecase::cli {

void expect_large_heap(size_t bytes) {
    constexpr size_t kLeast = size_t{16} << 20;  // what costs a moment needs no care
    constexpr size_t kMost = size_t{1} << 30;    // of address space; mallopt takes an int
    constexpr size_t kLargePage = size_t{2} << 20;
    constexpr int kMostInHeap = 32 << 20;  // of one block: more is not taken by glibc
    if (bytes < kLeast) return;
    bytes = std::min(bytes, kMost);
    mallopt(M_MMAP_THRESHOLD, kMostInHeap);
    mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
    mallopt(M_TOP_PAD, static_cast<int>(bytes));
    // More than any rest that the heap has: it grows now, by this and by what was asked.
    void* const block = std::malloc(kLargePage);
    mallopt(M_TOP_PAD, static_cast<int>(kLargePage));
    const auto end = reinterpret_cast<uintptr_t>(sbrk(0));
    const auto at = reinterpret_cast<uintptr_t>(block);
    if (block != nullptr && at < end && end - at >= bytes) {
        const uintptr_t begin = (at + kLargePage - 1) / kLargePage * kLargePage;
        madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
    }
    std::free(block);
}

}  // namespace edgecase::cli
