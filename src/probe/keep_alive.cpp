#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/ascii.hpp"
#include "net/signal.hpp"
#include "net/task_set.hpp"
#include "probe/probes.hpp"

namespace edgecase::probe {
namespace {

/// The first connection shows when the origin closes; the others, opened a moment later each, send
/// a request just when they are about to be closed.
constexpr unsigned kRacers = 6;
constexpr std::chrono::milliseconds kStep{40};
constexpr std::array<std::chrono::microseconds, kRacers> kLead{
    std::chrono::microseconds(3000), std::chrono::microseconds(1500),
    std::chrono::microseconds(800),  std::chrono::microseconds(300),
    std::chrono::microseconds(100),  std::chrono::microseconds(0)};
constexpr size_t kReadBytes = 1024;  // what comes unasked: nothing, or a 408

struct Wait {
    explicit Wait(net::Loop& loop) : closed(loop), ended(loop) {}
    net::Signal closed;
    net::Signal ended;
    std::optional<base::Duration> after;
    bool over = false;
    size_t racing = 0;
};

/// Until the origin ends the idle connection. Null: patience was over first.
net::Task<std::optional<base::Duration>> await_end(Session& session, origin::Connection& idle,
                                                   base::Deadline until) {
    std::array<char, kReadBytes> scratch{};
    for (;;) {
        const net::ReadResult got = co_await idle.stream.read_some(scratch, until);
        const base::Duration after = session.loop().clock().now() - idle.idle_since;
        if (got && *got > 0) continue;
        if (!got && got.error().kind == net::ErrorKind::deadline) co_return std::nullopt;
        session.facts().keep_alive.closed_by_reset = !got;
        co_return after;
    }
}

net::Task<void> race(Session& session, unsigned number, Wait& wait) {
    co_await session.loop().sleep_until(session.loop().after(kStep * (number + 1)));
    Session::Kept kept = co_await session.ask_and_keep(http1_question(session, "keep_alive"));
    if (kept.connection && !wait.over) {
        const base::SteadyTime idle_since = kept.connection->idle_since;
        co_await wait.closed.wait(base::Deadline::never());
        if (wait.after) {
            const auto moment = base::Deadline::at(idle_since + *wait.after - kLead[number]);
            co_await session.loop().sleep_until(moment);
            if (!kept.connection->stream.has_unread()) {
                Question late = http1_question(session, "keep_alive");
                late.kind = Kind::provoked;
                late.factor = "idle";
                late.value = "at the moment of closing";
                co_await session.ask_again(kept, late);
                KeepAliveFacts& facts = session.facts().keep_alive;
                if (kept.trial != nullptr) {
                    ++facts.raced;
                    facts.race_lost += kept.trial->failure ? 1 : 0;
                }
            }
        }
    }
    session.give_back(std::move(kept));
    --wait.racing;
    wait.ended.notify_all();
}

/// `Keep-Alive: timeout=5, max=100`.
std::optional<milliseconds> announced(std::string_view value) {
    std::optional<milliseconds> found;
    base::for_each_list_element(value, [&](std::string_view element) {
        constexpr std::string_view kKey = "timeout=";
        if (!base::to_lower(element).starts_with(kKey)) return;
        element.remove_prefix(kKey.size());
        unsigned seconds = 0;
        const auto [end, error] =
            std::from_chars(element.data(), element.data() + element.size(), seconds);
        if (error == std::errc() && seconds < 1'000'000) found = std::chrono::seconds(seconds);
    });
    return found;
}

std::string seconds_text(milliseconds time) {
    const auto tenths = (time.count() + 50) / 100;
    return std::to_string(tenths / 10) +
           (tenths % 10 == 0 ? "" : "." + std::to_string(tenths % 10)) + " s";
}

void report_keep_alive(Session& session) {
    const KeepAliveFacts& facts = session.facts().keep_alive;
    Report report{.name = "keep_alive", .state = Report::State::good, .summary = {}, .facts = {}};
    const auto edge = session.settings().timeouts.pool_idle;
    report.facts.add("edge_pool_idle_ms", int64_t{edge.count()});
    report.facts.add("waited_ms", int64_t{facts.waited.count()});
    if (facts.announced) report.facts.add("announced_ms", int64_t{facts.announced->count()});
    if (!facts.offered) {
        report.state = Report::State::advice;
        report.summary =
            "The origin ends every connection after one answer, so each request costs "
            "a connection.";
    } else if (facts.waited.count() == 0 && !facts.announced) {
        report.state = Report::State::skipped;
        report.summary = session.slow()
                             ? "The origin keeps connections; it is too slow to be asked how long."
                             : "The origin keeps connections; how long was not waited for "
                               "(--patience).";
    } else if (facts.closed_after) {
        report.state = Report::State::advice;
        report.facts.add("closed_after_ms", int64_t{facts.closed_after->count()});
        report.summary = "The origin closes a connection that was idle for " +
                         seconds_text(*facts.closed_after) + ", the edge keeps it for " +
                         seconds_text(edge) + ": a request at that moment is lost.";
        if (facts.raced > 0) {
            report.summary += " Provoked: " + std::to_string(facts.race_lost) + " of " +
                              std::to_string(facts.raced) + " were.";
            report.facts.add("raced", facts.raced);
            report.facts.add("race_lost", facts.race_lost);
        }
    } else if (facts.announced && *facts.announced < edge) {
        report.state = Report::State::advice;
        report.summary = "An idle connection was still open after " + seconds_text(facts.waited) +
                         "; the origin announces " + seconds_text(*facts.announced) +
                         ", less than the " + seconds_text(edge) + " that the edge keeps it.";
    } else {
        report.summary = "An idle connection was still open after " + seconds_text(facts.waited) +
                         "; --patience waits longer (the edge keeps it " + seconds_text(edge) +
                         ").";
    }
    session.report(std::move(report));
}

}  // namespace

net::Task<void> probe_keep_alive(Session& session) {
    if (session.hopeless() || !session.is_safe()) co_return session.skip("keep_alive");
    KeepAliveFacts& facts = session.facts().keep_alive;
    const auto patience = session.options().patience;
    Session::Kept first = co_await session.ask_and_keep(http1_question(session, "keep_alive"));
    if (first.trial == nullptr || first.trial->failure) co_return;
    facts.announced = announced(first.trial->answer.value_of("keep-alive"));
    facts.offered = first.connection.has_value();
    if (facts.offered && patience.count() > 0 && !session.slow()) {
        Wait wait(session.loop());
        net::TaskSet racers;
        for (unsigned i = 0; i < kRacers; ++i) {
            ++wait.racing;
            racers.spawn(race(session, i, wait));
        }
        const base::SteadyTime begin = session.loop().clock().now();
        wait.after =
            co_await await_end(session, *first.connection, base::Deadline::after(begin, patience));
        wait.over = true;
        facts.waited =
            std::chrono::duration_cast<milliseconds>(session.loop().clock().now() - begin);
        if (wait.after) facts.closed_after = std::chrono::duration_cast<milliseconds>(*wait.after);
        wait.closed.notify_all();
        while (wait.racing > 0) co_await wait.ended.wait(base::Deadline::never());
    }
    session.give_back(std::move(first));
    report_keep_alive(session);
}

}  // namespace edgecase::probe
