#include <gtest/gtest.h>

#include "diagnose/trace_summary.hpp"
#include "logs/event_nearness.hpp"

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

struct Near {
    EventKind kind = EventKind::other;
    std::string system = "nginx";
    std::string message = "what it said";
    std::string uri{};
    std::string script{};
    int64_t after_us = 0;  // of the request's beginning
    int64_t pid = -1;
};

TracedRay with_event(TracedRay ray, const Near& near) {
    logs::Event event;
    event.time = ray.edge.start + near.after_us;
    event.kind = near.kind;
    event.system = near.system;
    event.message = near.message;
    event.uri = near.uri;
    event.script = near.script;
    event.pid = near.pid;
    ray.is_clock_known = true;
    ray.nearby.push_back(std::make_shared<const logs::Event>(std::move(event)));
    return ray;
}

TracedRay with_event(TracedRay ray, EventKind kind, std::string_view uri = {}) {
    return with_event(std::move(ray), {.kind = kind, .uri = std::string(uri)});
}

TracedRay failed(Outcome outcome, std::string_view uri = "/a?b=1", uint16_t origin_status = 0) {
    TracedRay ray = ray_of(520, origin_status, outcome);
    ray.edge.uri = uri;
    return ray;
}

const Near kSegfault{.kind = EventKind::worker_exited,
                     .system = "php-fpm",
                     .message = "[pool www] child 7 exited on signal 11 (SIGSEGV)",
                     .pid = 7};

Near later(Near near, int64_t us) {
    near.after_us = us;
    return near;
}

struct Case {
    const char* what;
    TracedRay ray;
    Cause cause;
    const char* logs_say;  // part of it; empty: they say nothing
};

TEST(TraceReading, NamesTheCause) {
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
        {"522 before a handshake", unconnected, Cause::connect_timeout, "in none of"},
        {"522 behind one", half_way, Cause::request_not_acked, "in none of"},
        {"524 of a silent origin", ray_of(524, 0, Outcome::not_covered), Cause::time_first_byte,
         ""},
        {"524 in the body", ray_of(524, 200, Outcome::not_covered), Cause::time_body_idle, ""},
        {"a good one", with_line(ray_of(200, 200, Outcome::matched), 200, 10), Cause::none, ""},
        {"an edge that knows", known, Cause::resp_truncated_headers, "A process of the origin"},
    };
    for (const Case& one : cases) {
        const Reading reading = read(one.ray);
        EXPECT_EQ(reading.cause, one.cause) << one.what << ": " << cause::row(reading.cause).name;
        const std::string_view part = one.logs_say;
        EXPECT_TRUE(part.empty() ? reading.logs.empty() : reading.logs.contains(part))
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

TEST(TraceReading, AnExitNearbyDoesNotBeatTheLineThatNamesTheRequest) {
    TracedRay dead = ray_of(502, 502, Outcome::matched);
    dead.edge.uri = "/dead";
    dead = with_line(std::move(dead), 502, 157);
    dead = with_event(std::move(dead), kSegfault);
    dead = with_event(std::move(dead),
                      {.kind = EventKind::upstream_refused,
                       .message = "connect() failed (111: Connection refused) while connecting to "
                                  "upstream, upstream: \"http://127.0.0.1:21999/dead\"",
                       .uri = "/dead"});
    const Reading reading = read(dead);
    EXPECT_EQ(reading.cause, Cause::origin_status);
    EXPECT_TRUE(reading.logs.contains("took no connection")) << reading.logs;
    EXPECT_FALSE(reading.logs.contains("SIGSEGV")) << reading.logs;
    EXPECT_TRUE(reading.fix.contains("ss -ltnp")) << reading.fix;
}

TEST(TraceReading, AProcessThatEndedAfterTheResponseIsNotItsReason) {
    const TracedRay early =
        with_event(with_line(failed(Outcome::matched), 200, 0), later(kSegfault, 2'900'000));
    EXPECT_TRUE(read(early).logs.contains("partial response")) << read(early).logs;
    const TracedRay own =
        with_event(with_line(failed(Outcome::matched), 200, 0), later(kSegfault, 100'000));
    EXPECT_TRUE(read(own).logs.contains("SIGSEGV")) << read(own).logs;
}

TEST(TraceReading, AStatusThatTheOriginSentItselfIsNoCrash) {
    const TracedRay ray =
        with_event(with_line(ray_of(500, 500, Outcome::matched), 500, 177), kSegfault);
    EXPECT_TRUE(read(ray).logs.contains("passed it on")) << read(ray).logs;
}

TEST(TraceReading, AHeadTooLargeIsNoCrashEither) {
    TracedRay ray = with_event(with_line(failed(Outcome::matched), 200, 5), kSegfault);
    ray.edge.cause = "resp.headers_too_large";
    const Reading reading = read(ray);
    EXPECT_EQ(reading.cause, Cause::resp_headers_too_large);
    EXPECT_FALSE(reading.logs.contains("SIGSEGV")) << reading.logs;
}

TEST(TraceReading, TheProcessBehindTheProxyIsNamedWithTheLineThatNamesTheRequest) {
    const auto ray = [](std::string_view upstream) {
        TracedRay one = with_event(failed(Outcome::matched, "/k.php", 200), kSegfault);
        return with_event(std::move(one),
                          {.kind = EventKind::upstream_closed,
                           .message = "recv() failed (104: Connection reset by peer) while reading "
                                      "upstream, upstream: \"" +
                                      std::string(upstream) + "\"",
                           .uri = "/k.php"});
    };
    const Reading by_php = read(ray("fastcgi://unix:/run/fpm.sock:"));
    EXPECT_EQ(by_php.cause, Cause::body_short_fin);
    EXPECT_TRUE(by_php.logs.contains("SIGSEGV") && by_php.logs.contains("recv() failed"))
        << by_php.logs;
    // Another program than the one that was asked.
    const Reading by_node = read(ray("http://127.0.0.1:3000/k.php"));
    EXPECT_EQ(by_node.cause, Cause::body_short_fin);
    EXPECT_FALSE(by_node.logs.contains("SIGSEGV")) << by_node.logs;
}

TEST(TraceReading, OfAProcessWhoseRequestIsKnownAnotherRequestSaysNothing) {
    const TracedRay ray = failed(Outcome::matched, "/a", 200);
    const logs::LogTime at = ray.edge.start;
    std::vector<logs::Event> events(2);
    events[0].kind = EventKind::script_timeout;
    events[1].kind = EventKind::worker_exited;
    for (logs::Event& event : events) {
        event.time = at;
        event.system = "php-fpm";
        event.pid = 7;
    }
    events[0].uri = "/slow.php";
    logs::name_ends(events);
    EXPECT_EQ(events[1].uri, "/slow.php");
    EXPECT_EQ(logs::relevance(ray, events[1]), 0);
    const Reading reading = read(with_event(
        ray,
        {.kind = EventKind::worker_exited, .system = "php-fpm", .uri = "/slow.php", .pid = 7}));
    EXPECT_EQ(reading.cause, Cause::none) << reading.logs;
}

TEST(TraceReading, AStatusLineThatCameIsNoMalformedFieldWhateverTheLogsSay) {
    const auto closed = [](std::string_view message) {
        return with_event(
            failed(Outcome::matched, "/a", 200),
            {.kind = EventKind::upstream_closed, .message = std::string(message), .uri = "/a"});
    };
    EXPECT_EQ(
        read(closed("upstream prematurely closed connection while reading upstream, ...")).cause,
        Cause::body_short_fin);
    EXPECT_EQ(
        read(closed("recv() failed (104: Connection reset by peer) while reading upstream")).cause,
        Cause::body_short_fin);
    const Reading open = read(with_line(failed(Outcome::matched, "/a", 200), 200, 5000));
    EXPECT_EQ(open.cause, Cause::none);
    EXPECT_TRUE(open.logs.contains("no log says")) << open.logs;
    EXPECT_FALSE(open.fix.empty());
}

TEST(TraceReading, WhatArrivedAndLeftNoLineDidArrive) {
    TracedRay ray = failed(Outcome::never_arrived);
    ray.edge.cause = "resp.empty_rst";
    const Reading reading = read(ray);
    EXPECT_TRUE(reading.arrived);
    EXPECT_EQ(outcome_of(ray, reading), "left_no_line");
    EXPECT_TRUE(reading.logs.contains("left no line")) << reading.logs;
    ray.edge.cause = "connect.refused";
    EXPECT_EQ(outcome_of(ray, read(ray)), "never_arrived");
}

TEST(TraceReading, TheTerminationStateOfHaproxyLeads) {
    const auto with_state = [](TracedRay ray, std::string_view state) {
        ray = with_line(std::move(ray), 200, 108);
        ray.lines.back().reason = state;
        return ray;
    };
    const Reading died = read(with_state(failed(Outcome::matched, "/a", 200), "SD--"));
    EXPECT_EQ(died.cause, Cause::body_short_fin);
    EXPECT_TRUE(died.logs.contains("SD--: The server closed within the body.")) << died.logs;
    for (const char* state : {"SC--", "SH--", "PH--"}) {
        const Reading reading = read(with_state(ray_of(502, 502, Outcome::matched), state));
        EXPECT_EQ(reading.cause, Cause::origin_status);
        EXPECT_TRUE(reading.logs.contains(state)) << reading.logs;
        EXPECT_NE(reading.fix, cause::row(Cause::origin_status).fix) << state;
    }
    const Reading fine = read(with_state(ray_of(502, 502, Outcome::matched), "----"));
    EXPECT_FALSE(fine.logs.contains("HAProxy")) << fine.logs;
}

TEST(TraceReading, AFatalErrorOfTheScriptThatWasAskedForIsUsed) {
    TracedRay ray = with_line(ray_of(500, 500, Outcome::matched), 500, 5);
    ray.edge.uri = "/php/fatal.php?a=1";
    ray = with_event(std::move(ray), kSegfault);
    ray = with_event(std::move(ray), {.kind = EventKind::script_failed,
                                      .system = "php",
                                      .message = "Uncaught Error: Call to undefined function",
                                      .script = "/srv/www/php/fatal.php"});
    EXPECT_TRUE(read(ray).logs.contains("Uncaught Error")) << read(ray).logs;
}

TEST(TraceReading, AScriptThatTheManagerEndedRanTooLongAndDidNotCrash) {
    TracedRay ray = with_line(ray_of(502, 502, Outcome::matched), 502, 157);
    ray.edge.uri = "/php/slow.php";
    ray = with_event(std::move(ray), kSegfault);
    ray = with_event(std::move(ray), {.kind = EventKind::script_timeout,
                                      .system = "php-fpm",
                                      .message = "child 7 execution timed out",
                                      .uri = "/php/slow.php"});
    const Reading reading = read(ray);
    EXPECT_TRUE(reading.logs.contains("ran longer than it may")) << reading.logs;
    EXPECT_TRUE(reading.fix.contains("request_terminate_timeout")) << reading.fix;
}

TEST(TraceReading, AScriptOfApacheExplainsItsOwnRequestAndNoOther) {
    const auto asked = [](std::string_view uri) {
        TracedRay ray = with_line(ray_of(500, 500, Outcome::matched), 500, 571);
        ray.edge.uri = uri;
        return read(with_event(std::move(ray),
                               {.kind = EventKind::script_failed,
                                .system = "apache",
                                .message = "malformed header from script 'badhdr': Bad header: x",
                                .script = "badhdr"}));
    };
    EXPECT_TRUE(asked("/cgi/badhdr").logs.contains("malformed response head"));
    EXPECT_TRUE(asked("/cgi/other").logs.contains("passed it on"));
}

TEST(TraceReading, AClosingOnPurposeIsNamedSoWithTheEdgesOwnRecordToo) {
    TracedRay ray = with_event(with_line(failed(Outcome::matched), 444, 0), kSegfault);
    ray.edge.cause = "resp.empty_fin";
    const Reading reading = read(ray);
    EXPECT_TRUE(reading.logs.contains("on purpose")) << reading.logs;
    EXPECT_TRUE(reading.fix.contains("return 444")) << reading.fix;
    EXPECT_TRUE(reading.on_purpose);
}

TEST(TraceReading, AnErrorThatAProgramPrintedSaysWhyItEnded) {
    TracedRay ray = with_event(failed(Outcome::never_arrived), {.kind = EventKind::worker_exited,
                                                                .system = "node",
                                                                .message = "Node.js v20.20.2",
                                                                .pid = 5});
    ray = with_event(std::move(ray), {.kind = EventKind::script_failed,
                                      .system = "node",
                                      .message = "Error: boom in handler",
                                      .pid = 5});
    EXPECT_TRUE(read(ray).logs.ends_with("node says: Error: boom in handler")) << read(ray).logs;
}

TEST(TraceSummary, OneExplanationDoesNotStandForAllOfItsCause) {
    std::vector<TracedRay> rays;
    std::vector<Reading> readings;
    const auto add = [&](TracedRay ray) {
        readings.push_back(read(ray));
        rays.push_back(std::move(ray));
    };
    for (int i = 0; i < 3; ++i) {
        TracedRay ray = with_line(failed(Outcome::matched), 444, 0);
        ray.edge.cause = "resp.empty_fin";
        add(std::move(ray));
    }
    TracedRay crashed = with_event(failed(Outcome::never_arrived), kSegfault);
    crashed.edge.cause = "resp.empty_fin";
    add(std::move(crashed));
    const Summary summary = sum_up(rays, readings);
    ASSERT_EQ(summary.causes.size(), 1);
    const auto& explanations = summary.causes.front().explanations;
    ASSERT_EQ(explanations.size(), 2);
    EXPECT_EQ(explanations[0].count, 3);
    EXPECT_TRUE(explanations[0].logs.contains("on purpose"));
    EXPECT_EQ(explanations[1].count, 1);
    EXPECT_TRUE(explanations[1].logs.contains("SIGSEGV"));
    // What was closed on purpose is no crash.
    EXPECT_EQ(summary.guide[static_cast<size_t>(Guide::crash)].count, 1);
    EXPECT_EQ(summary.guide[static_cast<size_t>(Guide::other)].count, 3);
    EXPECT_EQ(summary.outcomes.back().name, "left_no_line");
    EXPECT_EQ(summary.outcomes.back().count, 1);
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
