#include <gtest/gtest.h>

#include "diagnose/trace_summary.hpp"

namespace edgecase::diagnose {
namespace {

using cause::Cause;
using logs::EventKind;
using logs::Outcome;
using logs::TracedRay;

constexpr int64_t kMinuteUs = 60'000'000;

TracedRay ray_of(uint16_t edge_status, uint16_t origin_status, Outcome outcome) {
    TracedRay ray;
    ray.edge.ray = 0x0600000000000001;
    ray.edge.start = 29'000'000 * kMinuteUs;
    ray.edge.edge_status = edge_status;
    ray.edge.origin_status = origin_status;
    ray.edge.method = "GET";
    ray.edge.uri = "/a?b=1";
    ray.edge.origin = "192.0.2.10";
    ray.edge.edge_address = "162.158.0.1";
    ray.edge.connect_ms = 4;
    ray.outcome = outcome;
    return ray;
}

TracedRay with_line(TracedRay ray, uint16_t status, int64_t body_bytes) {
    logs::OriginLine line;
    line.status = status;
    line.body_bytes = body_bytes;
    ray.lines.push_back(std::move(line));
    return ray;
}

TracedRay with_event(TracedRay ray, EventKind kind, std::string_view uri = {}) {
    logs::Event event;
    event.kind = kind;
    event.system = "nginx";
    event.message = "what it said";
    event.uri = uri;
    ray.nearby.push_back(std::make_shared<const logs::Event>(std::move(event)));
    return ray;
}

struct Case {
    const char* what;
    TracedRay ray;
    Cause cause;
    const char* logs_say;  // part of it
};

TEST(TraceReading, NamesTheCause) {
    const auto failed = [](Outcome outcome) { return ray_of(520, 0, outcome); };
    TracedRay reused = failed(Outcome::never_arrived);
    reused.edge.connect_ms = 0;
    TracedRay head = with_line(failed(Outcome::matched), 200, 0);
    head.edge.method = "HEAD";
    TracedRay half_way = ray_of(522, 0, Outcome::never_arrived);
    TracedRay unconnected = half_way;
    unconnected.edge.connect_ms = 0;
    TracedRay known = with_event(ray_of(520, 0, Outcome::matched), EventKind::segfault);
    known.edge.cause = "resp.truncated_headers";
    const Case cases[] = {
        {"200 with 0 bytes", with_line(failed(Outcome::matched), 200, 0),
         Cause::resp_truncated_headers, "partial response"},
        {"a HEAD has no body", head, Cause::resp_headers_too_large, "believes that it answered"},
        {"200 and bytes", with_line(failed(Outcome::matched), 200, 51234),
         Cause::resp_headers_too_large, "logged 200"},
        {"444", with_line(failed(Outcome::matched), 444, 0), Cause::resp_empty_fin, "on purpose"},
        {"499", with_line(failed(Outcome::matched), 499, 0), Cause::time_first_byte,
         "still at work"},
        {"503 that did not arrive", with_line(failed(Outcome::matched), 503, 10),
         Cause::resp_truncated_headers, "no such response"},
        {"nothing, on a reused connection", reused, Cause::reuse_stale, "in no log"},
        {"nothing, on a fresh one", failed(Outcome::never_arrived), Cause::resp_empty_rst,
         "in no log"},
        {"a log that proves nothing", failed(Outcome::not_covered), Cause::none, ""},
        {"several lines", failed(Outcome::ambiguous), Cause::none, ""},
        {"memory", with_event(failed(Outcome::never_arrived), EventKind::out_of_memory),
         Cause::resp_empty_rst, "ran out of memory"},
        {"a crash", with_event(failed(Outcome::never_arrived), EventKind::worker_exited),
         Cause::resp_empty_rst, "A process of the origin ended"},
        {"a slow script", with_event(failed(Outcome::matched), EventKind::script_timeout, "/a?b=1"),
         Cause::resp_empty_fin, "longer than it may"},
        {"a restart", with_event(failed(Outcome::never_arrived), EventKind::restarted),
         Cause::resp_empty_fin, "restarted"},
        {"500 passed on", with_line(ray_of(500, 500, Outcome::matched), 500, 10),
         Cause::origin_status, "passed it on"},
        {"521", ray_of(521, 0, Outcome::never_arrived), Cause::connect_refused, "none of"},
        {"522 before a handshake", unconnected, Cause::connect_timeout, ""},
        {"522 behind one", half_way, Cause::request_not_acked, ""},
        {"524 of a silent origin", ray_of(524, 0, Outcome::not_covered), Cause::time_first_byte,
         ""},
        {"524 in the body", ray_of(524, 200, Outcome::not_covered), Cause::time_body_idle, ""},
        {"a good one", with_line(ray_of(200, 200, Outcome::matched), 200, 10), Cause::none, ""},
        {"an edge that knows", known, Cause::resp_truncated_headers, "A process of the origin"},
    };
    for (const Case& one : cases) {
        const Reading reading = read(one.ray);
        EXPECT_EQ(reading.cause, one.cause) << one.what << ": " << cause::row(reading.cause).name;
        EXPECT_NE(reading.logs.find(one.logs_say), std::string::npos)
            << one.what << ": " << reading.logs;
        EXPECT_FALSE(reading.pair.empty()) << one.what;
        EXPECT_EQ(reading.confidence == 0, one.cause == Cause::none) << one.what;
    }
}

TEST(TraceReading, AnEventOfSomebodyElseExplainsNoTimeout) {
    const TracedRay ray =
        with_event(ray_of(524, 0, Outcome::never_arrived), EventKind::script_failed, "/other");
    EXPECT_EQ(read(ray).logs.find("A script failed"), std::string::npos);
}

TEST(TraceSummary, CountsByCauseAndPlace) {
    std::vector<TracedRay> rays;
    std::vector<Reading> readings;
    const auto add = [&](TracedRay ray, int64_t minute) {
        ray.edge.start += minute * kMinuteUs;
        readings.push_back(read(ray));
        rays.push_back(std::move(ray));
    };
    for (int i = 0; i < 3; ++i) add(ray_of(521, 0, Outcome::never_arrived), i);
    for (int i = 0; i < 50; ++i) add(with_line(ray_of(520, 0, Outcome::matched), 200, 0), 5);
    add(ray_of(520, 0, Outcome::not_covered), 6);
    add(ray_of(200, 200, Outcome::matched), 6);
    const Summary summary = sum_up(rays, readings);
    EXPECT_EQ(summary.failed, 54);
    EXPECT_EQ(summary.explained, 53);
    ASSERT_EQ(summary.causes.size(), 3);
    const CauseSum& most = summary.causes.front();
    EXPECT_EQ(most.cause, Cause::resp_truncated_headers);
    EXPECT_EQ(most.count, 50);
    ASSERT_EQ(most.paths.size(), 1);
    EXPECT_EQ(most.paths.front().name, "/a");
    EXPECT_EQ(most.edges.front().name, "162.158.0.1");
    EXPECT_EQ(most.origins.front().count, 50);
    ASSERT_EQ(most.minutes.size(), 1);
    EXPECT_EQ(most.minutes.front().count, 50);
    const CauseSum& refused = summary.causes[1];
    EXPECT_EQ(refused.cause, Cause::connect_refused);
    EXPECT_EQ(refused.last - refused.first, 2 * kMinuteUs);
    EXPECT_EQ(refused.minutes.size(), 3);
    EXPECT_EQ(summary.causes[2].cause, Cause::none);
    EXPECT_EQ(summary.minutes.size(), 5);
    ASSERT_EQ(summary.bursts.size(), 1);
    EXPECT_EQ(summary.bursts.front().count, 50);
}

TEST(TraceSummary, BarsHoldEveryMinute) {
    const std::vector<Minute> minutes{{0, 3}, {kMinuteUs, 1}, {99 * kMinuteUs, 7}};
    const Bars bars = bars_of(minutes, 10);
    EXPECT_EQ(bars.minutes, 10);
    ASSERT_EQ(bars.counts.size(), 10);
    EXPECT_EQ(bars.counts.front(), 4);
    EXPECT_EQ(bars.counts.back(), 7);
    EXPECT_EQ(bars_of({{5 * kMinuteUs, 2}}, 10).counts, std::vector<uint64_t>{2});
}

}  // namespace
}  // namespace edgecase::diagnose
