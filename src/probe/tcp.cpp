#include <algorithm>
#include <optional>

#include "net/task_set.hpp"
#include "origin/dialer.hpp"
#include "probe/probes.hpp"

namespace edgecase::probe {
namespace {

constexpr size_t kAddresses = 8;  // of one name; more are rare
constexpr unsigned kTries = 2;    // of each address

struct Round {
    explicit Round(net::Loop& loop) : ended(loop) {}
    size_t running = 0;
    net::Signal ended;
    std::optional<cause::Failure> last;
};

net::Task<void> try_address(Session& session, AddressFacts& facts, Round& round) {
    origin::Dialer dialer(session.loop(), session.settings());
    for (unsigned i = 0; i < kTries; ++i) {
        record::Attempt attempt;
        std::vector<record::Attempt> others;
        const std::array one{facts.address};
        const auto stream =
            co_await dialer.dial(one, session.port(), base::Deadline::never(), attempt, others);
        ++facts.tried;
        if (stream) {
            facts.connect_us = facts.connect_us < 0
                                   ? attempt.connect_us
                                   : std::min(facts.connect_us, attempt.connect_us);
            continue;
        }
        ++facts.failed;
        facts.cause = stream.error().cause();
        round.last = stream.error();
    }
    --round.running;
    round.ended.notify_all();
}

}  // namespace

net::Task<void> probe_tcp(Session& session) {
    std::vector<AddressFacts>& addresses = session.facts().addresses;
    if (addresses.size() > kAddresses) addresses.resize(kAddresses);
    if (addresses.empty()) {
        session.report(
            {.name = "tcp", .summary = "There is no address to connect to.", .facts = {}});
        co_return;
    }
    Round round(session.loop());
    net::TaskSet tasks;
    for (AddressFacts& one : addresses) {
        ++round.running;
        tasks.spawn(try_address(session, one, round));
    }
    while (round.running > 0) co_await round.ended.wait(base::Deadline::never());
    const auto bad =
        std::ranges::count_if(addresses, [](const AddressFacts& one) { return one.failed > 0; });
    Report report{.name = "tcp", .state = Report::State::good, .summary = {}, .facts = {}};
    const std::string port = std::to_string(session.port());
    if (bad == 0) {
        int64_t slowest = 0;
        for (const AddressFacts& one : addresses) slowest = std::max(slowest, one.connect_us);
        report.summary = "Port " + port + " takes connections";
        if (addresses.size() > 1) report.summary += " at every address";
        report.summary += ".";
        report.facts.add("connect_us", slowest);
    } else {
        report.state = Report::State::bad;
        report.summary =
            std::to_string(bad) + " of " + std::to_string(addresses.size()) +
            (addresses.size() == 1 ? " address fails on port " : " addresses fail on port ") +
            port + ": " + std::string(round.last->row().reason);
        report.facts = round.last->evidence();
    }
    session.report(std::move(report));
}

}  // namespace edgecase::probe
