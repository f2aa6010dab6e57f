// Owns one origin as a worker sees it: its address, its pool, and the way to a usable connection.
#pragma once

#include <expected>
#include <optional>

#include "base/deadline.hpp"
#include "cause/failure.hpp"
#include "config/settings.hpp"
#include "http/url.hpp"
#include "net/resolver.hpp"
#include "net/task.hpp"
#include "origin/connection.hpp"
#include "origin/pool.hpp"
#include "record/record.hpp"

namespace edgecase::origin {

class Origin {
  public:
    Origin(net::Loop& loop, net::Resolver& resolver, const config::Settings& settings,
           http::OriginUrl url);

    const http::OriginUrl& url() const { return url_; }
    const std::string& url_text() const { return url_text_; }
    const std::string& authority() const { return authority_; }
    Pool& pool() { return pool_; }

    /// An idle connection, begun anew for one more request, if there is one.
    std::optional<Connection> take_idle(Pool::Look look);

    /// Resolves and connects. Fills the attempt's address and durations. `skip` addresses of the
    /// answer are passed over: those earlier attempts of this request failed on.
    /// Errors: dns.* and connect.* failures.
    net::Task<std::expected<Connection, cause::Failure>> connect(record::Attempt& attempt,
                                                                 size_t skip);
    /// How many addresses the last resolution gave.
    size_t address_count() const { return address_count_; }

    /// A connection after a complete exchange; `reusable` decides between pool and close.
    void give_back(Connection connection, bool reusable);

  private:
    net::Loop& loop_;
    net::Resolver& resolver_;
    const config::Settings& settings_;
    http::OriginUrl url_;
    std::string url_text_;
    std::string authority_;
    Pool pool_;
    size_t address_count_ = 1;
    uint64_t next_id_ = 1;
    size_t open_ = 0;  // connections handed out, idle ones not counted
    size_t maximum_open_;
};

}  // namespace edgecase::origin
