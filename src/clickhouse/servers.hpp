// Owns which of the ledger's servers may be asked now.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

namespace edgecase::clickhouse {

struct Server {
    using Time = std::chrono::steady_clock::time_point;

    Time rests_until{};
    std::chrono::seconds pause{0};  // 0: it has not failed since it answered
    bool has_tables = false;        // of our version
    bool refuses = false;           // the last batch that it was offered
};

/// For one thread.
class Servers {
  public:
    using Time = Server::Time;

    Servers(size_t count, size_t preferred)
        : all_(count), current_(preferred % std::max<size_t>(count, 1)) {}

    size_t count() const { return all_.size(); }
    Server& operator[](size_t server) { return all_[server]; }

    /// The one that answered last, or the first behind it that does not rest.
    std::optional<size_t> next(Time now) const {
        for (size_t i = 0; i < all_.size(); ++i) {
            const size_t server = (current_ + i) % all_.size();
            if (!rests(server, now)) return server;
        }
        return std::nullopt;
    }
    bool rests(size_t server, Time now) const { return all_[server].rests_until > now; }

    void failed(size_t server, Time now) {
        Server& one = all_[server];
        one.has_tables = false;
        one.pause = std::clamp(one.pause * 2, kLeastPause, kLongestPause);
        one.rests_until = now + one.pause;
    }
    void answered(size_t server) {
        all_[server].rests_until = {};
        all_[server].pause = std::chrono::seconds(0);
        current_ = server;
    }
    bool have_all_failed() const {
        return std::ranges::none_of(all_, [](const Server& one) { return one.pause.count() == 0; });
    }

  private:
    static constexpr std::chrono::seconds kLeastPause{1};
    static constexpr std::chrono::seconds kLongestPause{5};

    std::vector<Server> all_;
    size_t current_;
};

}  // namespace edgecase::clickhouse
