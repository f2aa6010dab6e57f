#include "origin/pool.hpp"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <vector>

#include "net/connect.hpp"
#include "net/listener.hpp"
#include "net/task_set.hpp"

namespace edgecase::origin {
namespace {

using std::chrono::milliseconds;

class PoolTest : public testing::Test {
  protected:
    PoolTest()
        : loop(std::move(*net::Loop::create(clock))),
          listener(*net::Listener::listen(*loop, *ip::Endpoint::parse("127.0.0.1:0"), false)) {}

    void run(std::function<net::Task<void>()> body) {
        net::TaskSet tasks;
        tasks.spawn(stop_after(body()));
        loop->run();
    }
    net::Task<void> stop_after(net::Task<void> body) {
        co_await std::move(body);
        loop->stop();
    }
    /// A connection to the listener; the origin's side of it goes to `origin_side`.
    net::Task<Connection> connect() {
        const base::Deadline soon = loop->after(milliseconds(2000));
        auto stream = co_await net::connect(*loop, listener.local(), {}, soon);
        auto accepted = co_await listener.accept(soon);
        origin_side = std::move(accepted->stream);
        Connection connection;
        connection.stream = std::move(*stream);
        connection.requests = 1;
        co_return connection;
    }
    net::Task<void> settle() { co_await loop->sleep_until(loop->after(milliseconds(30))); }

    base::SystemClock clock;
    std::unique_ptr<net::Loop> loop;
    net::Listener listener;
    net::Stream origin_side;
    std::vector<net::Stream> held;
};

TEST_F(PoolTest, the_connection_idle_shortest_is_taken_first) {
    run([&]() -> net::Task<void> {
        Pool pool(*loop, milliseconds(5000), 4);
        for (const uint64_t id : {uint64_t{1}, uint64_t{2}}) {
            Connection connection = co_await connect();
            connection.id = id;
            pool.put(std::move(connection));
            // The origin's side must stay open for the connection to stay idle.
            held.push_back(std::move(origin_side));
        }
        co_await settle();
        EXPECT_EQ(pool.take()->id, 2u);
        EXPECT_EQ(pool.take()->id, 1u);
        EXPECT_FALSE(pool.take());
    });
}

TEST_F(PoolTest, a_connection_the_origin_closes_is_never_given_out) {
    run([&]() -> net::Task<void> {
        Pool pool(*loop, milliseconds(5000), 4);
        pool.put(co_await connect());
        origin_side.close();
        co_await settle();
        EXPECT_FALSE(pool.take());
        EXPECT_EQ(pool.counters().closed_by_origin, 1u);
    });
}

TEST_F(PoolTest, a_connection_with_bytes_nobody_asked_for_is_never_given_out) {
    run([&]() -> net::Task<void> {
        Pool pool(*loop, milliseconds(5000), 4);
        pool.put(co_await connect());
        std::array parts{net::part("HTTP/1.1 200 OK\r\n\r\n")};
        EXPECT_TRUE(co_await origin_side.write_all(parts, loop->after(milliseconds(1000))));
        co_await settle();
        EXPECT_FALSE(pool.take());
        EXPECT_EQ(pool.counters().unexpected_bytes, 1u);
    });
}

TEST_F(PoolTest, a_connection_given_back_in_this_very_turn_is_not_taken) {
    run([&]() -> net::Task<void> {
        Pool pool(*loop, milliseconds(5000), 4);
        pool.put(co_await connect());
        EXPECT_FALSE(pool.take());
        co_await settle();
        EXPECT_TRUE(pool.take());
    });
}

TEST_F(PoolTest, bytes_the_loop_has_not_heard_of_yet_keep_a_connection_from_being_given_out) {
    run([&]() -> net::Task<void> {
        Pool pool(*loop, milliseconds(5000), 4);
        pool.put(co_await connect());
        co_await settle();
        std::array parts{net::part("HTTP/1.1 200 OK\r\n\r\n")};
        EXPECT_TRUE(co_await origin_side.write_all(parts, loop->after(milliseconds(1000))));
        EXPECT_FALSE(pool.take(Pool::Look::now));
    });
}

TEST_F(PoolTest, an_origin_that_sent_bytes_nobody_asked_for_is_not_reused_for_a_while) {
    run([&]() -> net::Task<void> {
        Pool pool(*loop, milliseconds(5000), 4);
        pool.put(co_await connect());
        held.push_back(std::move(origin_side));
        pool.distrust();
        EXPECT_EQ(pool.size(), 0u);
        pool.put(co_await connect());
        EXPECT_EQ(pool.size(), 0u);
    });
}

TEST_F(PoolTest, after_a_response_without_a_body_a_connection_settles_first) {
    run([&]() -> net::Task<void> {
        Pool pool(*loop, milliseconds(5000), 4);
        Connection connection = co_await connect();
        connection.last_had_no_body = true;
        pool.put(std::move(connection));
        co_await loop->sleep_until(loop->after(milliseconds(4)));
        co_await settle();
        EXPECT_TRUE(pool.take());
    });
}

TEST_F(PoolTest, idle_connections_expire_and_the_pool_has_a_bound) {
    run([&]() -> net::Task<void> {
        Pool pool(*loop, milliseconds(20), 1);
        pool.put(co_await connect());
        held.push_back(std::move(origin_side));
        pool.put(co_await connect());
        EXPECT_EQ(pool.size(), 1u);
        co_await settle();
        EXPECT_EQ(pool.size(), 0u);
        EXPECT_EQ(pool.counters().expired, 1u);
    });
}

}  // namespace
}  // namespace edgecase::origin
