// Owns the search of a short list; std::ranges::contains is absent from libstdc++ 12.
#pragma once

#include <algorithm>
#include <functional>

namespace edgecase::allowlist {

template <typename List, typename Value, typename Projection = std::identity>
constexpr bool contains(const List& list, const Value& value, Projection projection = {}) {
    return std::ranges::find(list, value, projection) != std::ranges::end(list);
}

}  // namespace edgecase::allowlist
