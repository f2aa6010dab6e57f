// Owns the way to a TCP connection with an origin: the address it leaves from, and the one among
// several that it goes to.
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <vector>

#include "base/deadline.hpp"
#include "cause/failure.hpp"
#include "config/settings.hpp"
#include "ip/endpoint.hpp"
#include "net/loop.hpp"
#include "net/stream.hpp"
#include "net/task.hpp"
#include "record/record.hpp"

namespace edgecase::origin {

class Dialer {
  public:
    Dialer(net::Loop& loop, const config::Settings& settings) : loop_(loop), settings_(settings) {}

    /// Tries `addresses`, at least one, in their order: the next when the one before has failed or
    /// has not answered for 250 ms; the first that answers wins. `attempt`: of the winner, or of
    /// the one that failed last. `others`: gets an attempt for each of the rest that was begun.
    /// Source: RFC 8305 5. Errors: connect.* failures and edge.egress_unavailable.
    net::Task<std::expected<net::Stream, cause::Failure>> dial(
        std::span<const ip::Address> addresses, uint16_t port, base::Deadline deadline,
        record::Attempt& attempt, std::vector<record::Attempt>& others);

  private:
    struct Race;
    struct Runner;
    static Runner* worst_of(std::span<Runner* const> ended);
    using Result = std::expected<net::Stream, cause::Failure>;

    net::Task<Result> dial_one(record::Attempt& attempt, base::Deadline deadline);
    net::Task<void> run(Race& race, Runner& runner, base::Deadline deadline);
    std::optional<ip::Address> next_source(const ip::Address& to);

    net::Loop& loop_;
    const config::Settings& settings_;
    size_t next_egress_ = 0;
};

}  // namespace edgecase::origin
