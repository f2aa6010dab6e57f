#include "origin/dialer.hpp"

#include <algorithm>
#include <deque>
#include <string>

#include "net/connect.hpp"
#include "net/signal.hpp"
#include "net/task_set.hpp"
#include "origin/origin_failure.hpp"

namespace edgecase::origin {
namespace {

constexpr std::chrono::milliseconds kNextAfter{250};  // RFC 8305 5, Connection Attempt Delay
constexpr size_t kMaximumAddresses = 8;               // of one name; nobody waits for more

}  // namespace

/// One address of several.
struct Dialer::Runner {
    record::Attempt attempt;
    base::SteadyTime begun;
    std::optional<Result> result{};
};

struct Dialer::Race {
    explicit Race(net::Loop& loop) : ending(loop) {}

    std::deque<Runner> runners{};  // their addresses stay
    std::vector<Runner*> ended{};  // in that order
    bool unseen_ending = false;
    net::Signal ending;
    net::TaskSet tasks{};  // last: they use everything above
};

/// Of addresses that all failed the one that is answered for: the last, but what the edge itself
/// could not do (a family it does not have) says less about the origin than the others do.
Dialer::Runner* Dialer::worst_of(std::span<Runner* const> ended) {
    const auto told = std::find_if(ended.rbegin(), ended.rend(), [](const Runner* one) {
        return one->result->error().row().actor != cause::Actor::edge;
    });
    return told == ended.rend() ? ended.back() : *told;
}

net::Task<Dialer::Result> Dialer::dial(std::span<const ip::Address> addresses, uint16_t port,
                                       base::Deadline deadline, record::Attempt& attempt,
                                       std::vector<record::Attempt>& others) {
    const auto limit = [&] { return loop_.after(settings_.timeouts.connect).earlier(deadline); };
    attempt.origin = {addresses.front(), port};
    if (addresses.size() == 1) {
        const base::SteadyTime begun = loop_.clock().now();
        Result stream = co_await dial_one(attempt, limit());
        attempt.connect_us = base::microseconds(loop_.clock().now() - begun);
        co_return stream;
    }

    addresses = addresses.first(std::min(addresses.size(), kMaximumAddresses));
    Race race(loop_);
    Runner* last = nullptr;
    while (last == nullptr) {
        const size_t begun = race.runners.size();
        if (begun < addresses.size()) {
            Runner& runner = race.runners.emplace_back(Runner{attempt, loop_.clock().now()});
            runner.attempt.origin = {addresses[begun], port};
            race.tasks.spawn(run(race, runner, limit()));
        }
        const bool more = race.runners.size() < addresses.size();
        if (!race.unseen_ending) {
            co_await race.ending.wait(more ? loop_.after(kNextAfter) : base::Deadline::never());
        }
        race.unseen_ending = false;
        const auto won = std::ranges::find_if(
            race.ended, [](const Runner* one) { return one->result->has_value(); });
        if (won != race.ended.end()) last = *won;
        if (race.ended.size() == addresses.size() && last == nullptr) last = worst_of(race.ended);
    }
    race.tasks.cancel_all();
    attempt = std::move(last->attempt);
    const auto lost = [&](Runner& one) {
        one.attempt.retried = true;
        if (one.attempt.cause == cause::Cause::none) {
            one.attempt.outrun = true;
            one.attempt.close = record::Close::local;
        }
        others.push_back(std::move(one.attempt));
    };
    for (Runner* const one : race.ended) {
        if (one != last) lost(*one);
    }
    for (Runner& one : race.runners) {
        if (one.result) continue;
        one.attempt.connect_us = base::microseconds(loop_.clock().now() - one.begun);
        lost(one);
    }
    co_return std::move(*last->result);
}

net::Task<void> Dialer::run(Race& race, Runner& runner, base::Deadline deadline) {
    runner.result.emplace(co_await dial_one(runner.attempt, deadline));
    runner.attempt.connect_us = base::microseconds(loop_.clock().now() - runner.begun);
    if (!*runner.result) {
        runner.attempt.cause = runner.result->error().cause();
        runner.attempt.evidence = runner.result->error().evidence();
    }
    race.ended.push_back(&runner);
    race.unseen_ending = true;
    race.ending.notify_all();
}

/// In turn among the egress addresses of the target's family. Null: the system chooses.
std::optional<ip::Address> Dialer::next_source(const ip::Address& to) {
    const std::vector<ip::Address>& egress = settings_.egress;
    for (size_t seen = 0; seen < egress.size(); ++seen) {
        const ip::Address& address = egress[next_egress_++ % egress.size()];
        if (address.is_v4() == to.is_v4()) return address;
    }
    return std::nullopt;
}

/// Egress addresses that this machine does not have are passed over, until none is left.
net::Task<Dialer::Result> Dialer::dial_one(record::Attempt& attempt, base::Deadline deadline) {
    std::vector<std::string> missing;
    for (;;) {
        const auto source = next_source(attempt.origin.address);
        if (source && std::ranges::find(missing, source->to_string()) != missing.end()) {
            co_return std::unexpected(egress_unavailable(attempt.origin, std::move(missing)));
        }
        auto stream = co_await net::connect(loop_, attempt.origin, {source}, deadline);
        if (stream) {
            attempt.edge = stream->local();
            co_return std::move(*stream);
        }
        const net::ConnectError& error = stream.error();
        attempt.edge = error.local;
        if (source && error.local.port == 0) attempt.edge = {*source, 0};
        if (!source || !lacks_source(error)) {
            co_return std::unexpected(
                connect_failure(error, attempt.origin, settings_.timeouts.connect));
        }
        missing.push_back(source->to_string());
    }
}

}  // namespace edgecase::origin
