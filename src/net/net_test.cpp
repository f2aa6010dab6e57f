#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>

#include "net/connect.hpp"
#include "net/listener.hpp"
#include "net/loop.hpp"
#include "net/resolver.hpp"
#include "net/task_set.hpp"

namespace edgecase::net {
namespace {

using std::chrono::milliseconds;

const ip::Endpoint kAnyLoopback = *ip::Endpoint::parse("127.0.0.1:0");

class NetTest : public testing::Test {
  protected:
    NetTest() : loop(std::move(*Loop::create(clock))) {}

    /// Runs `body` on the loop until it ends.
    void run(std::function<Task<void>()> body) {
        TaskSet tasks;
        tasks.spawn(stop_after(body()));
        loop->run();
    }
    Task<void> stop_after(Task<void> body) {
        co_await std::move(body);
        loop->stop();
    }
    base::Deadline soon() { return loop->after(milliseconds(2000)); }

    base::SystemClock clock;
    std::unique_ptr<Loop> loop;
};

struct Pair {
    Stream client;
    Stream server;
};

Task<Pair> make_pair(Loop& loop, Listener& listener, base::Deadline deadline) {
    auto client = co_await connect(loop, listener.local(), {}, deadline);
    auto server = co_await listener.accept(deadline);
    co_return Pair{std::move(*client), std::move(server->stream)};
}

TEST_F(NetTest, bytes_written_on_one_side_are_read_on_the_other) {
    auto listener = *Listener::listen(*loop, kAnyLoopback, false);
    run([&]() -> Task<void> {
        Pair pair = co_await make_pair(*loop, listener, soon());
        std::array parts{part("hello "), part(""), part("world")};
        EXPECT_TRUE(co_await pair.client.write_all(parts, soon()));
        EXPECT_EQ(pair.client.bytes_written(), 11u);
        std::array<char, 64> buffer;
        const ReadResult got = co_await pair.server.read_some(buffer, soon());
        EXPECT_EQ(std::string_view(buffer.data(), *got), "hello world");
    });
}

TEST_F(NetTest, a_large_write_waits_for_the_reader) {
    auto listener = *Listener::listen(*loop, kAnyLoopback, false);
    run([&]() -> Task<void> {
        Pair pair = co_await make_pair(*loop, listener, soon());
        const std::string data(8 << 20, 'x');
        auto write = [](Stream& stream, const std::string& bytes,
                        base::Deadline deadline) -> Task<bool> {
            std::array parts{part(bytes)};
            const WriteResult result = co_await stream.write_all(parts, deadline);
            co_return result.has_value();
        };
        Background<bool> writer(write(pair.client, data, soon()));
        writer.start();
        EXPECT_FALSE(writer.done());
        size_t total = 0;
        std::string buffer(100'000, '\0');
        while (total < data.size()) {
            const ReadResult got = co_await pair.server.read_some(buffer, soon());
            if (!got || *got == 0) break;
            total += *got;
        }
        EXPECT_EQ(total, data.size());
        EXPECT_TRUE(co_await writer.join());
    });
}

TEST_F(NetTest, fin_reads_as_zero_and_rst_as_reset) {
    auto listener = *Listener::listen(*loop, kAnyLoopback, false);
    run([&]() -> Task<void> {
        std::array<char, 64> buffer;
        Pair fin = co_await make_pair(*loop, listener, soon());
        fin.client.close();
        EXPECT_EQ(*co_await fin.server.read_some(buffer, soon()), 0u);
        Pair rst = co_await make_pair(*loop, listener, soon());
        rst.client.abort();
        const ReadResult got = co_await rst.server.read_some(buffer, soon());
        EXPECT_EQ(got.error().kind, ErrorKind::reset);
    });
}

TEST_F(NetTest, a_read_ends_at_its_deadline_and_the_stream_stays_usable) {
    auto listener = *Listener::listen(*loop, kAnyLoopback, false);
    run([&]() -> Task<void> {
        Pair pair = co_await make_pair(*loop, listener, soon());
        std::array<char, 64> buffer;
        const ReadResult late =
            co_await pair.server.read_some(buffer, loop->after(milliseconds(20)));
        EXPECT_EQ(late.error().kind, ErrorKind::deadline);
        std::array parts{part("x")};
        EXPECT_TRUE(co_await pair.client.write_all(parts, soon()));
        EXPECT_EQ(*co_await pair.server.read_some(buffer, soon()), 1u);
    });
}

TEST_F(NetTest, a_closed_port_is_refused_with_facts) {
    ip::Endpoint closed;
    {
        closed = Listener::listen(*loop, kAnyLoopback, false)->local();
    }
    run([&]() -> Task<void> {
        const auto result = co_await connect(*loop, closed, {}, soon());
        EXPECT_FALSE(result);
        EXPECT_EQ(result.error().error.kind, ErrorKind::refused);
        EXPECT_EQ(result.error().error.name(), "ECONNREFUSED");
        EXPECT_FALSE(result.error().icmp);
    });
}

TEST_F(NetTest, unacked_bytes_tell_whether_the_other_side_has_them) {
    auto listener = *Listener::listen(*loop, kAnyLoopback, false);
    run([&]() -> Task<void> {
        Pair pair = co_await make_pair(*loop, listener, soon());
        std::array parts{part("hello")};
        EXPECT_TRUE(co_await pair.client.write_all(parts, soon()));
        EXPECT_EQ(pair.client.unacked_bytes(), 0u);
        EXPECT_EQ(pair.client.facts()->bytes_acked, 6u);
        EXPECT_EQ(pair.client.facts()->state, "ESTAB");
    });
}

TEST_F(NetTest, what_a_batch_of_events_knows_is_known_before_the_first_waiter_runs) {
    auto listener = *Listener::listen(*loop, kAnyLoopback, false);
    run([&]() -> Task<void> {
        Pair first = co_await make_pair(*loop, listener, soon());
        Pair second = co_await make_pair(*loop, listener, soon());
        std::array<char, 1> byte;
        // Whichever of two readers the batch wakes first, it sees the other's byte announced.
        const auto read = [&](net::Stream& mine, net::Stream& other, bool& seen) -> Task<void> {
            EXPECT_TRUE(co_await mine.wait_readable(soon()));
            seen = other.descriptor().readable;
        };
        bool first_saw = false;
        bool second_saw = false;
        Background<void> one(read(first.server, second.server, first_saw));
        Background<void> two(read(second.server, first.server, second_saw));
        one.start();
        two.start();
        std::array out{part("x")};
        EXPECT_TRUE(co_await first.client.write_all(out, soon()));
        out = {part("x")};
        EXPECT_TRUE(co_await second.client.write_all(out, soon()));
        co_await loop->sleep_until(loop->after(milliseconds(20)));
        EXPECT_TRUE(first_saw);
        EXPECT_TRUE(second_saw);
        EXPECT_TRUE(first.server.read_now(byte));
    });
}

TEST_F(NetTest, destroying_a_waiting_task_cancels_it) {
    auto listener = *Listener::listen(*loop, kAnyLoopback, false);
    run([&]() -> Task<void> {
        Pair pair = co_await make_pair(*loop, listener, soon());
        auto wait = [](Stream& stream, base::Deadline deadline) -> Task<bool> {
            std::array<char, 1> byte;
            const ReadResult got = co_await stream.read_some(byte, deadline);
            co_return got.has_value();
        };
        {
            Background<bool> reader(wait(pair.server, soon()));
            reader.start();
        }
        std::array parts{part("x")};
        EXPECT_TRUE(co_await pair.client.write_all(parts, soon()));
        std::array<char, 8> buffer;
        EXPECT_EQ(*co_await pair.server.read_some(buffer, soon()), 1u);
    });
}

TEST_F(NetTest, posted_work_runs_on_the_loop_and_yield_lets_it) {
    run([&]() -> Task<void> {
        bool ran = false;
        loop->post([&] { ran = true; });
        for (int i = 0; i < 100 && !ran; ++i) co_await loop->yield();
        EXPECT_TRUE(ran);
    });
}

TEST_F(NetTest, literals_and_hosts_file_names_resolve_and_a_dead_server_is_told_apart) {
    auto resolver = *Resolver::create(*loop, {.timeout = milliseconds(500)});
    ip::Endpoint closed;
    {
        closed = Listener::listen(*loop, kAnyLoopback, false)->local();
    }
    auto dead = *Resolver::create(*loop, {.server = closed, .timeout = milliseconds(500)});
    run([&]() -> Task<void> {
        EXPECT_EQ((co_await resolver->resolve("127.0.0.9", soon()))->addresses[0].to_string(),
                  "127.0.0.9");
        const auto local = co_await resolver->resolve("localhost", soon());
        EXPECT_TRUE(local && local->addresses[0].is_loopback());
        const auto none = co_await dead->resolve("origin.test", soon());
        EXPECT_FALSE(none);
        EXPECT_EQ(none.error().kind, DnsErrorKind::unreachable) << none.error().detail;
    });
}

}  // namespace
}  // namespace edgecase::net
