// Owns what is said of a ledger that takes nothing, and of its servers: no more than is needed.
#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <map>
#include <optional>
#include <utility>

#include "clickhouse/client.hpp"

namespace edgecase::clickhouse {

/// For one thread.
class Troubles {
  public:
    using Time = std::chrono::steady_clock::time_point;
    /// The same of the same server is said once in this time, whatever came between.
    static constexpr std::chrono::seconds kInterval{60};

    struct What {
        size_t server = 0;
        QueryError::Kind kind = QueryError::Kind::refused;
        int code = 0;
        auto operator<=>(const What&) const = default;
    };
    /// True: say so.
    bool is_news(const What& what, Time now) {
        std::erase_if(said_, [&](const auto& one) { return now - one.second >= kInterval; });
        if (!said_.emplace(what, now).second) return false;
        return has_said_ = true;
    }

    /// Nothing is taken.
    void away(Time now) {
        if (!since_) since_ = now;
    }
    /// Something is. How long nothing was, if a line told of trouble since the last time.
    std::optional<std::chrono::seconds> back(Time now) {
        const auto since = std::exchange(since_, std::nullopt);
        const bool has_said = std::exchange(has_said_, false);
        if (!since || !has_said) return std::nullopt;
        return std::chrono::round<std::chrono::seconds>(now - *since);
    }

  private:
    std::map<What, Time> said_;
    std::optional<Time> since_;
    bool has_said_ = false;
};

}  // namespace edgecase::clickhouse
