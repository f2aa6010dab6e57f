#include "base/statistics.hpp"

#include <algorithm>
#include <cmath>

namespace edgecase::base {
namespace {

double log_factorial(uint64_t n) {
    return std::lgamma(static_cast<double>(n) + 1);
}

double log_choose(uint64_t n, uint64_t k) {
    return log_factorial(n) - log_factorial(k) - log_factorial(n - k);
}

}  // namespace

double fisher_exact(const TwoGroups& groups) {
    if (groups.all_a == 0 || groups.all_b == 0) return 1;
    const uint64_t failed = groups.failed_a + groups.failed_b;
    const double all = log_choose(groups.all_a + groups.all_b, failed);
    const auto chance = [&](uint64_t in_a) {
        return std::exp(log_choose(groups.all_a, in_a) + log_choose(groups.all_b, failed - in_a) -
                        all);
    };
    const double seen = chance(groups.failed_a);
    constexpr double kRounding = 1 + 1e-7;  // ties must count
    double sum = 0;
    const uint64_t least = failed - std::min(failed, groups.all_b);
    for (uint64_t in_a = least; in_a <= std::min(groups.all_a, failed); ++in_a) {
        const double one = chance(in_a);
        if (one <= seen * kRounding) sum += one;
    }
    return std::min(1.0, sum);
}

Interval wilson(uint64_t failed, uint64_t all) {
    if (all == 0) return {};
    constexpr double kZ = 1.959964;  // of 95 %
    const auto n = static_cast<double>(all);
    const double rate = static_cast<double>(failed) / n;
    const double scale = 1 + kZ * kZ / n;
    const double middle = (rate + kZ * kZ / (2 * n)) / scale;
    const double half = kZ * std::sqrt(rate * (1 - rate) / n + kZ * kZ / (4 * n * n)) / scale;
    // Exactly so at the ends, where the difference leaves a crumb.
    return {.low = failed == 0 ? 0.0 : middle - half, .high = failed == all ? 1.0 : middle + half};
}

}  // namespace edgecase::base
