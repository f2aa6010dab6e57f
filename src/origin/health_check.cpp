#include "origin/health_check.hpp"

#include <algorithm>
#include <array>

#include "base/byte_buffer.hpp"
#include "origin/origin_failure.hpp"
#include "origin/transport_failure.hpp"

namespace edgecase::origin {
namespace {

using cause::Cause;
using cause::Failure;

constexpr size_t kReadBytes = 16 * 1024;
constexpr size_t kBodyBytes = 64 * 1024;
constexpr unsigned kInterim = 16;  // nobody answers a check with more

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

/// The rest of a small answer: a server that sees it cut off would write that into its log.
net::Task<void> read_body(net::Stream& stream, const h1::ResponseHeadParser& parser,
                          base::ByteBuffer& in, base::Deadline deadline) {
    h1::BodyDecoder decoder;
    decoder.reset(parser.head().framing, {});
    in.consume(parser.head_bytes());
    for (size_t read = 0; read < kBodyBytes;) {
        while (!in.empty() && decoder.state() == h1::BodyDecoder::State::more) {
            in.consume(decoder.next(in.view()).consumed);
        }
        if (decoder.state() != h1::BodyDecoder::State::more) co_return;
        const net::ReadResult got =
            co_await stream.read_some(in.reserve_free(kReadBytes), deadline);
        if (!got || *got == 0) co_return;
        in.commit(*got);
        read += *got;
    }
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
    net::Stream& stream = lent.connection.stream;

    Sending sending;
    base::SteadyTime sent_at = loop.clock().now();
    uint64_t bytes_received = 0;
    unsigned interim = 0;
    const AttemptView view{lent.connection, sending,        loop.clock(),
                           sent_at,         bytes_received, interim};
    const config::Limits& limits = around.settings.limits;
    h1::ResponseHeadParser parser;
    const h1::HeadLimits head_limits{limits.response_line_bytes, limits.response_line_bytes,
                                     limits.response_header_bytes, limits.response_header_count};
    parser.reset(head_limits, {});

    const std::string request = request_text(origin, check);
    std::array parts{net::part(request)};
    const net::WriteResult written = co_await stream.write_all(parts, deadline);
    sent_at = loop.clock().now();
    sending.complete = written.has_value();
    sending.failed = !written;

    base::ByteBuffer in;
    for (;;) {
        const net::ReadResult got =
            co_await stream.read_some(in.reserve_free(kReadBytes), deadline);
        if (!got && got.error().kind == net::ErrorKind::deadline) {
            co_return wait_timeout(view, parser, "health.timeout", check.timeout);
        }
        if (!got && got.error().kind == net::ErrorKind::layer) co_return transport_failure(view);
        if (!got || *got == 0) {
            if (parser.finish(in.view()) == h1::Progress::failed)
                co_return head_broken(view, parser);
            co_return head_ended(view, parser, in.view(),
                                 got ? Ending::fin() : Ending::of(got.error()));
        }
        bytes_received += *got;
        in.commit(*got);
        h1::Progress progress = parser.parse(in.view());
        while (progress == h1::Progress::complete && parser.head().is_interim()) {
            if (++interim > kInterim) co_return too_many_interim(view, kInterim);
            in.consume(parser.head_bytes());
            parser.reset(head_limits, {});
            progress = in.empty() ? h1::Progress::need_more : parser.parse(in.view());
        }
        if (progress == h1::Progress::failed) co_return head_broken(view, parser);
        if (progress == h1::Progress::complete) break;
    }
    const uint16_t status = parser.status();
    co_await read_body(stream, parser, in, deadline);
    if (is_expected(status, check.expected)) co_return std::nullopt;
    cause::Evidence evidence = history(view);
    evidence.add("status", int{status});
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
