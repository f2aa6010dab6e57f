#include "base/statistics.hpp"

#include <algorithm>
#include <cmath>

namespace edgecase::base {
namespace {

double log_choose(double n, double k) {
    return std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1);
}

}  // namespace

double fisher_exact(const TwoGroups& groups) {
    const auto a = static_cast<double>(groups.all_a);
    const auto b = static_cast<double>(groups.all_b);
    const auto failed = static_cast<double>(groups.failed_a + groups.failed_b);
    if (groups.all_a == 0 || groups.all_b == 0) return 1;
    const double all = log_choose(a + b, failed);
    const auto chance = [&](double in_a) {
        return std::exp(log_choose(a, in_a) + log_choose(b, failed - in_a) - all);
    };
    const double seen = chance(static_cast<double>(groups.failed_a));
    constexpr double kRounding = 1 + 1e-7;  // ties must count
    double sum = 0;
    for (double in_a = std::max(0.0, failed - b); in_a <= std::min(a, failed); ++in_a) {
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
    return {std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

}  // namespace edgecase::base
