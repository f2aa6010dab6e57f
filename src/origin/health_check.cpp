#include "origin/health_check.hpp"

#include <algorithm>

#include "origin/own_request.hpp"

namespace edgecase::origin {
namespace {

using cause::Cause;
using cause::Failure;

constexpr uint64_t kBodyBytes = 64 * 1024;  // a server that sees more cut off may log it

bool is_expected(uint16_t status, const std::vector<uint16_t>& expected) {
    if (expected.empty()) return status >= 200 && status <= 299;
    return std::ranges::find(expected, status) != expected.end();
}

/// 503 and 500 are the edge's own: a limit, its shutdown, a bug.
bool is_of_the_edge(const Failure& failure) {
    const cause::Row& row = failure.row();
    return row.actor == cause::Actor::edge && (row.status == 503 || row.status == 500);
}

std::string request_text(const Origin& origin, const config::HealthCheck& check) {
    return "GET " + check.path +
           " HTTP/1.1\r\nHost: " + (check.host.empty() ? origin.authority() : check.host) +
           "\r\nUser-Agent: Edgecase-Healthcheck/1.0\r\nAccept: */*\r\nConnection: close\r\n\r\n";
}

/// The connection goes back to its origin, to be closed, however the check ends.
struct Lent {
    Origin& origin;
    Connection connection;
    ~Lent() { origin.give_back(std::move(connection), false); }
};

}  // namespace

void HealthJudge::take(const std::optional<Failure>& failure) {
    if (failure && is_of_the_edge(*failure)) return;
    if (!failure) {
        failures_ = 0;
        if (++successes_ >= check_.healthy_after) state_.healthy = true;
        return;
    }
    successes_ = 0;
    const auto* const status = failure->evidence().find("status");
    const auto* const number = status == nullptr ? nullptr : std::get_if<int64_t>(status);
    state_.last_fault = failure->cause();
    state_.last_status = number == nullptr ? uint16_t{0} : static_cast<uint16_t>(*number);
    if (++failures_ >= check_.unhealthy_after) state_.healthy = false;
}

net::Task<std::optional<Failure>> check_health(const Surroundings& around, Origin& origin,
                                               const config::HealthCheck& check) {
    net::Loop& loop = around.loop;
    const base::Deadline deadline = loop.after(check.timeout);
    record::Attempt attempt;
    Wish wish;
    wish.alone = true;
    wish.deadline = deadline;
    std::vector<record::Attempt> others;
    auto connected = co_await origin.connect(attempt, wish, others);
    if (!connected) co_return connected.error();
    Lent lent{origin, std::move(*connected)};
    const std::string request = request_text(origin, check);
    OwnRequest own;
    own.bytes = request;
    own.body_bytes_read = kBodyBytes;
    own.whole = deadline;
    own.whole_limit = check.timeout;
    own.whole_name = "health.timeout";
    const OwnExchange exchange = co_await ask(loop, around.settings, lent.connection, own, attempt);
    const OwnAnswer& answer = exchange.answer;
    // What the body is like is not asked.
    if (!answer.head_whole || answer.status == 101) co_return exchange.failure;
    if (is_expected(answer.status, check.expected)) co_return std::nullopt;
    cause::Evidence evidence;
    evidence.add("status", int{answer.status});
    co_return Failure(Cause::origin_status, std::move(evidence));
}

net::Task<void> keep_checking(Surroundings around, Origin& origin, const config::HealthCheck& check,
                              HealthState& state) {
    HealthJudge judge(check, state);
    for (;;) {
        const base::Deadline next = around.loop.after(check.interval);
        judge.take(co_await check_health(around, origin, check));
        co_await around.loop.sleep_until(next);
    }
}

}  // namespace edgecase::origin
