// Owns the two statistics that failure rates are judged by.
#pragma once

#include <cstdint>

namespace edgecase::base {

/// Two groups, and how many of each failed.
struct TwoGroups {
    uint64_t failed_a = 0;
    uint64_t all_a = 0;
    uint64_t failed_b = 0;
    uint64_t all_b = 0;
};

/// Fisher's exact test, two-sided: how likely groups at least as unlike are if both fail alike.
/// 1 when either group is empty. Source: R. A. Fisher, 1922; counts may be any size.
double fisher_exact(const TwoGroups& groups);

struct Interval {
    double low = 0;
    double high = 1;
};

/// Wilson's score interval of `failed` of `all` at 95 %. [0, 1] of none.
/// Source: E. B. Wilson, 1927.
Interval wilson(uint64_t failed, uint64_t all);

}  // namespace edgecase::base
