// Owns the asking of a whole ledger, and the noticing of parts that do not answer.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clickhouse/client.hpp"

namespace edgecase::clickhouse {

/// Asks whichever server answers. With a cluster, an answer that lacks unreachable shards is better
/// than none: then take_missing() names them.
class Reading {
  public:
    explicit Reading(Settings settings) : client_(std::move(settings)) {}

    Client& client() { return client_; }
    const Settings& settings() const { return client_.settings(); }

    /// One statement in RowBinary; it ends with `FORMAT RowBinary` here. Errors: a sentence.
    std::expected<std::string, std::string> ask(const std::string& sql);
    /// All shards are asked again.
    void begin() { missing_.clear(); }
    /// Of all answers since this was called last.
    std::vector<std::string> take_missing() { return std::exchange(untold_, {}); }

  private:
    std::expected<std::string, QueryError> ask_as_allowed(const std::string& statement,
                                                          bool incomplete);
    std::vector<std::string> unreachable_shards();

    Client client_;
    bool may_set_ = true;               // settings of a query: not with a profile that is readonly
    std::vector<std::string> missing_;  // since begin()
    std::vector<std::string> untold_;
};

}  // namespace edgecase::clickhouse
