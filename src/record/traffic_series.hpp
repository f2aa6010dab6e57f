// Owns requests over time by a key of which clients may make up any number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "record/traffic.hpp"

namespace edgecase::record {

struct KeyHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

/// Whatever comes first, the keys with the most requests are told apart.
class SeriesMaker {
  public:
    /// Held at a time. When they are more, the smaller half joins `(other)`: far more than are
    /// shown, and than one step of an edge has.
    static constexpr size_t kMaximumKeys = 1000;

    void add(std::string_view key, base::WallTime start, uint64_t requests);
    /// At most Traffic::kSeries of them, largest first, and behind them what is not told apart.
    /// `times`: of all steps, in order.
    std::vector<TrafficSeries> series(const std::vector<base::WallTime>& times) const;

  private:
    struct Counts {
        uint64_t total = 0;
        std::vector<std::pair<base::WallTime, uint64_t>> steps;  // in order

        void add(base::WallTime start, uint64_t requests);
        void merge(const Counts& other);
    };
    using Map = std::unordered_map<std::string, Counts, KeyHash, std::equal_to<>>;

    std::vector<Map::const_iterator> largest_first() const;
    void fold_smaller_half();

    Map keys_;
    Counts other_;
};

}  // namespace edgecase::record
