#include <algorithm>
#include <array>

#include "base/percent.hpp"
#include "base/statistics.hpp"
#include "probe/probes.hpp"

namespace edgecase::probe {
namespace {

constexpr unsigned kUsual = 30;   // requests, when most are answered
constexpr unsigned kFew = 4;      // when each fails, or takes long
constexpr unsigned kMinimum = 6;  // of each address and source, to be compared
constexpr unsigned kConfirm = 2;  // more of a variation that went otherwise
constexpr std::chrono::milliseconds kVerySlow{10'000};

struct Agent {
    std::string_view name;
    std::string_view text;
};
/// Real visitors, tools, and a crawler that many rule sets forbid.
constexpr std::array kAgents{
    Agent{"a browser",
          "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
          "Chrome/126.0.0.0 Safari/537.36"},
    Agent{"curl", "curl/8.5.0"},
    Agent{"a crawler", "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)"},
};

Question plain(bool fresh) {
    Question question;
    question.probe = "intermittence";
    question.fresh = fresh;
    return question;
}

/// The same as before with one thing changed; again if that changed the outcome.
net::Task<bool> vary(Session& session, Question question, bool usually_fails) {
    question.probe = "intermittence";
    question.kind = Kind::varied;
    for (unsigned i = 0; i <= kConfirm; ++i) {
        const Trial* const trial = co_await session.ask(question);
        if (trial == nullptr) co_return false;
        if (trial->failure.has_value() == usually_fails) break;
    }
    co_return true;
}

net::Task<bool> vary_agents(Session& session, bool usually_fails) {
    for (const Agent& agent : kAgents) {
        Question question;
        question.factor = "user agent";
        question.value = agent.name;
        question.user_agent = agent.text;
        if (!co_await vary(session, std::move(question), usually_fails)) co_return false;
    }
    co_return true;
}

/// Only when the usual one fails: another Host is a request for another site.
net::Task<bool> vary_host_and_path(Session& session) {
    Question other_path;
    other_path.factor = "path";
    other_path.value = "/";
    other_path.target = "/";
    if (session.options().target != "/" && !co_await vary(session, std::move(other_path), true)) {
        co_return false;
    }
    for (const AddressFacts& address : session.facts().addresses) {
        Question by_address;
        by_address.factor = "host";
        by_address.value = address.address.to_string();
        by_address.host = by_address.value;
        if (by_address.host == session.url().host) continue;
        co_return co_await vary(session, std::move(by_address), true);
    }
    Question local;
    local.factor = "host";
    local.value = local.host = "localhost";
    co_return co_await vary(session, std::move(local), true);
}

/// Every address of the origin, and every one of ours, gets its share.
net::Task<bool> compare_addresses(Session& session) {
    const auto& addresses = session.facts().addresses;
    const auto& sources = session.settings().egress;
    for (unsigned i = 0; i < kMinimum; ++i) {
        for (size_t j = 0; addresses.size() > 1 && j < addresses.size(); ++j) {
            Question question = plain(true);
            question.kind = Kind::varied;
            question.factor = "origin address";
            question.value = addresses[j].address.to_string();
            question.address = addresses[j].address;
            if (co_await session.ask(std::move(question)) == nullptr) co_return false;
        }
        for (size_t j = 0; sources.size() > 1 && j < sources.size(); ++j) {
            Question question = plain(true);
            question.kind = Kind::varied;
            question.factor = "source address";
            question.value = sources[j].to_string();
            question.source = sources[j];
            if (co_await session.ask(std::move(question)) == nullptr) co_return false;
        }
    }
    co_return true;
}

bool usually_fails(const Session& session) {
    const auto is_plain = [](const Trial& one) { return one.kind == Kind::plain; };
    const auto all = std::ranges::count_if(session.trials(), is_plain);
    const auto failed = std::ranges::count_if(session.trials(), [&](const Trial& one) {
        return is_plain(one) && one.failure.has_value();
    });
    return failed * 2 > all;
}

void report_rate(Session& session) {
    uint64_t all = 0;
    uint64_t failed = 0;
    for (const Trial& one : session.trials()) {
        if (one.kind != Kind::plain) continue;
        ++all;
        failed += one.failure ? 1 : 0;
    }
    const base::Interval interval = base::wilson(failed, all);
    Report report{
        .name = "intermittence", .state = Report::State::good, .summary = {}, .facts = {}};
    report.summary = std::to_string(failed) + " of " + std::to_string(all) +
                     " requests as the edge would send them failed (95 % confidence: " +
                     base::percent(interval.low) + " to " + base::percent(interval.high) + ").";
    if (failed > 0) report.state = Report::State::bad;
    report.facts.add("failed", failed).add("requests", all);
    session.report(std::move(report));
}

}  // namespace

net::Task<void> probe_intermittence(Session& session) {
    const bool one_is_enough = !session.is_safe() || session.hopeless();
    const bool fails = usually_fails(session);
    const Trial* last = session.trials().empty() ? nullptr : &session.trials().back();
    const bool very_slow = last != nullptr && time_of(*last) > kVerySlow;
    const unsigned count = one_is_enough || very_slow ? 0 : fails || session.slow() ? kFew : kUsual;
    bool may_go_on = true;
    for (unsigned i = 0; i < count && may_go_on && !session.hopeless(); ++i) {
        // Half of them, in no order that an origin's own period could fall in with.
        const bool fresh = (i * 2'654'435'761u >> 16) % 2 == 0;
        may_go_on = co_await session.ask(plain(fresh)) != nullptr;
    }
    const bool vary_too = count > 0 && may_go_on && !session.hopeless();
    const bool fails_now = usually_fails(session);
    if (vary_too) may_go_on = co_await vary_agents(session, fails_now);
    if (vary_too && may_go_on && fails_now) may_go_on = co_await vary_host_and_path(session);
    if (vary_too && may_go_on) co_await compare_addresses(session);
    report_rate(session);
}

}  // namespace edgecase::probe
