// Owns the reading of a ledger in ClickHouse.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <string>

#include "clickhouse/settings.hpp"
#include "record/follower.hpp"
#include "record/source.hpp"

namespace edgecase::clickhouse {

/// Errors: a sentence (no server answers, there is no ledger, or one of another version).
/// `node`: only what that edge recorded; empty: all.
std::expected<std::unique_ptr<record::Source>, std::string> open_source(
    const Settings& settings, const std::string& node = {});

/// Nothing is asked yet. `rows_at_once`: of which a server tells the rays in one answer.
constexpr size_t kFollowedRows = 20'000;
std::unique_ptr<record::Follower> make_follower(const Settings& settings,
                                                const std::string& node = {},
                                                size_t rows_at_once = kFollowedRows);

}  // namespace edgecase::clickhouse
