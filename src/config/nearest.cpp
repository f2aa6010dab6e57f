#include "config/nearest.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace edgecase::config {
namespace {

/// Insertions, deletions, replacements and swaps of neighbours between two words.
size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<size_t>> cost(a.size() + 1, std::vector<size_t>(b.size() + 1));
    for (size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
    for (size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
    for (size_t i = 1; i <= a.size(); ++i) {
        for (size_t j = 1; j <= b.size(); ++j) {
            cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1,
                                   cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
            }
        }
    }
    return cost[a.size()][b.size()];
}

constexpr size_t kMaximumWordBytes = 64;  // longer than every right word; bounds the table above

}  // namespace

std::string_view nearest(std::string_view word, std::span<const std::string_view> choices) {
    if (word.size() > kMaximumWordBytes) return {};
    std::string_view best;
    size_t best_distance = std::max<size_t>(word.size() / 3, 2) + 1;
    for (const std::string_view choice : choices) {
        const size_t distance = edit_distance(word, choice);
        if (distance >= best_distance || distance >= choice.size()) continue;
        best = choice;
        best_distance = distance;
    }
    return best;
}

}  // namespace edgecase::config
