// Owns how figures look on a terminal: counts, sizes, shares, changes, times, the shape of a
// series.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace edgecase::cli {

/// `12,345`, from a million on `1.2M`.
std::string count_text(uint64_t count);
/// `512 B`, `1.2 KiB`.
std::string bytes_text(uint64_t bytes);
/// Of microseconds: `0.42 ms`, `12.3 ms`, `1.50 s`; `-` of nothing.
std::string latency_text(std::optional<int64_t> microseconds);
/// `97.4 %`; `-` of nothing at all, `<0.1 %` of what is there and small.
std::string share_text(uint64_t part, uint64_t whole);
/// `+12 %`, `-3 %`, `x25`; empty when there is nothing to compare with, or no change.
std::string change_text(double now, double before);
/// A second's share of so many: `0.25/s`, `12.3/s`, `1,234/s`.
std::string rate_text(double per_second);

/// What becomes one column when there are more values than columns.
enum class Merge : unsigned char { sum, highest };
/// At most `columns` columns, each of as many values as the others, the last perhaps of fewer.
std::vector<uint64_t> resampled(std::span<const uint64_t> values, size_t columns, Merge merge);

}  // namespace edgecase::cli
