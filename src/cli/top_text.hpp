// Owns what `edgecase top` shows: one screen of the traffic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "record/traffic.hpp"

namespace edgecase::cli {

/// What the rows tell apart.
enum class TopBy : uint8_t { cause, status, host, origin, path };
constexpr size_t kTopBys = 5;
std::optional<TopBy> parse_top_by(std::string_view text);
std::string_view to_string(TopBy by);
/// The one `steps` further, round and round.
TopBy stepped(TopBy by, int steps);
/// The series that the rows' shapes are taken from.
record::TrafficBy series_of(TopBy by);

struct TopScreen {
    const record::Traffic& traffic;
    TopBy by = TopBy::cause;
    bool failures_first = false;
    bool paused = false;
    double per_second = 0;         // requests since the last look
    std::vector<uint64_t> recent;  // requests of each look, the newest last
    std::string interval;          // as text
    std::string trouble;           // why there is nothing newer; empty: none
};

/// At most `rows` lines of at most `columns` columns, each ended but the last. `with_keys`: the
/// last says which keys there are.
std::string top_text(const TopScreen& screen, size_t columns, size_t rows, bool colour,
                     bool with_keys);

/// Requests that `now` counts and `before` did not yet, of the steps that both may have.
uint64_t arrived(const record::Traffic& before, const record::Traffic& now);

}  // namespace edgecase::cli
