#include "mux/connection.hpp"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <vector>

#include "net/connect.hpp"
#include "net/listener.hpp"
#include "net/task_set.hpp"

namespace edgecase::mux {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kGet = "GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n";
constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

/// Both ends of one connection on one loop; requests are answered by `answer`.
class MuxTest : public testing::Test, public Connection::Acceptor {
  protected:
    using Answer = std::function<net::Task<void>(net::Stream)>;

    MuxTest() : loop(std::move(*net::Loop::create(clock))), scratch(256 * 1024) {}

    void run(Answer answer, std::function<net::Task<void>()> body, Timeouts timeouts = {}) {
        answer_ = std::move(answer);
        net::TaskSet tasks;
        tasks.spawn(set_up_and(std::move(body), timeouts));
        loop->run();
        streams_.cancel_all();
        serving_.cancel_all();
        client.reset();
        server.reset();
    }
    net::Task<void> set_up_and(std::function<net::Task<void>()> body, Timeouts timeouts) {
        auto listener =
            std::move(*net::Listener::listen(*loop, *ip::Endpoint::parse("127.0.0.1:0"), false));
        auto stream = co_await net::connect(*loop, listener.local(), {}, soon());
        auto accepted = co_await listener.accept(soon());
        client = std::make_unique<Connection>(*loop, std::move(*stream), h2::Role::client,
                                              h2::Limits(), timeouts, scratch, nullptr);
        if (silent_server) {
            held = std::move(accepted->stream);
        } else {
            server =
                std::make_unique<Connection>(*loop, std::move(accepted->stream), h2::Role::server,
                                             h2::Limits(), Timeouts(), scratch, this);
            serving_.spawn(server->run());
        }
        serving_.spawn(client->run());
        co_await body();
        loop->stop();
    }
    void on_request(net::Stream stream) override { streams_.spawn(answer_(std::move(stream))); }

    base::Deadline soon() { return loop->after(milliseconds(3000)); }
    net::Task<void> send(net::Stream& stream, std::string_view text) {
        std::array parts{net::part(text)};
        EXPECT_TRUE(co_await stream.write_all(parts, soon()));
    }
    /// Until `text` is there, the stream ends or fails.
    net::Task<std::string> read_until(net::Stream& stream, std::string_view text) {
        std::string got;
        std::array<char, 4096> buffer;
        while (!got.contains(text)) {
            const net::ReadResult size = co_await stream.read_some(buffer, soon());
            if (!size || *size == 0) break;
            got.append(buffer.data(), *size);
        }
        co_return got;
    }
    Answer answering(std::string_view text) {
        return [this, text](net::Stream stream) -> net::Task<void> {
            return reply(std::move(stream), text);
        };
    }
    net::Task<void> reply(net::Stream stream, std::string_view text) {
        request = co_await read_until(stream, "\r\n\r\n");
        co_await send(stream, text);
        std::array<char, 64> rest;
        static_cast<void>(co_await stream.read_some(rest, soon()));
        co_await loop->sleep_until(loop->after(milliseconds(20)));
    }

    base::SystemClock clock;
    std::unique_ptr<net::Loop> loop;
    std::vector<char> scratch;
    std::unique_ptr<Connection> client;
    std::unique_ptr<Connection> server;
    std::string request;
    net::Stream held;  // the other side of a silent server's connection
    bool silent_server = false;

  private:
    Answer answer_;
    net::TaskSet streams_;
    net::TaskSet serving_;
};

TEST_F(MuxTest, a_stream_carries_one_exchange_as_text) {
    run(answering(kAnswer), [&]() -> net::Task<void> {
        auto stream = client->open();
        EXPECT_TRUE(stream);
        co_await send(*stream, kGet);
        const std::string response = co_await read_until(*stream, "hello");
        EXPECT_TRUE(response.starts_with("HTTP/1.1 200")) << response;
        EXPECT_TRUE(response.ends_with("\r\n\r\nhello")) << response;
        EXPECT_TRUE(request.starts_with("GET /x HTTP/1.1\r\n")) << request;
        EXPECT_EQ(stream_id(*stream), 1u);
        EXPECT_EQ(client->open_streams(), 1u);
        stream->close();
        EXPECT_EQ(client->open_streams(), 0u);
    });
}

TEST_F(MuxTest, many_streams_share_the_connection) {
    run(answering(kAnswer), [&]() -> net::Task<void> {
        std::vector<net::Stream> streams;
        for (int i = 0; i < 20; ++i) {
            streams.push_back(std::move(*client->open()));
            co_await send(streams.back(), kGet);
        }
        for (net::Stream& stream : streams) {
            EXPECT_TRUE((co_await read_until(stream, "hello")).ends_with("hello"));
        }
        EXPECT_EQ(client->streams_made(), 20u);
    });
}

TEST_F(MuxTest, a_large_body_waits_for_its_reader) {
    std::string big = "HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n";
    big.append(2'999'999, 'x');
    big += '!';
    run(answering(big), [&]() -> net::Task<void> {
        auto stream = client->open();
        co_await send(*stream, kGet);
        co_await loop->sleep_until(loop->after(milliseconds(50)));
        const std::string response = co_await read_until(*stream, "!");
        EXPECT_GT(response.size(), 3'000'000u);
        EXPECT_EQ(response.back(), '!');
    });
}

TEST_F(MuxTest, a_stream_that_is_dropped_fails_on_the_other_side_alone) {
    const auto drop = [&](net::Stream stream) -> net::Task<void> {
        request = co_await read_until(stream, "\r\n\r\n");
    };
    run(drop, [&]() -> net::Task<void> {
        auto stream = client->open();
        co_await send(*stream, kGet);
        std::array<char, 64> buffer;
        const net::ReadResult got = co_await stream->read_some(buffer, soon());
        EXPECT_FALSE(got);
        EXPECT_EQ(got.error().kind, net::ErrorKind::layer);
        const Trouble trouble = trouble_of(*stream);
        EXPECT_EQ(trouble.kind, Trouble::Kind::fault);
        EXPECT_EQ(trouble.fault.rule, h2::Rule::reset);
        EXPECT_FALSE(trouble.frames.empty());
        EXPECT_TRUE(client->can_open());
    });
}

TEST_F(MuxTest, when_the_carrier_ends_every_stream_fails_with_the_reason) {
    silent_server = true;
    run(answering(""), [&]() -> net::Task<void> {
        auto stream = client->open();
        co_await send(*stream, kGet);
        co_await loop->sleep_until(loop->after(milliseconds(20)));
        held.abort();
        std::array<char, 64> buffer;
        const net::ReadResult got = co_await stream->read_some(buffer, soon());
        EXPECT_FALSE(got);
        EXPECT_EQ(trouble_of(*stream).kind, Trouble::Kind::rst);
        EXPECT_TRUE(client->is_over());
        EXPECT_FALSE(client->open());
    });
}

TEST_F(MuxTest, settings_that_never_come_end_the_connection) {
    silent_server = true;
    run(answering(""),
        [&]() -> net::Task<void> {
            auto stream = client->open();
            co_await send(*stream, kGet);
            std::array<char, 64> buffer;
            EXPECT_FALSE(co_await stream->read_some(buffer, soon()));
            EXPECT_EQ(trouble_of(*stream).kind, Trouble::Kind::settings_timeout);
        },
        {.settings = milliseconds(50)});
}

TEST_F(MuxTest, a_ping_without_answer_ends_the_connection) {
    silent_server = true;
    run(answering(""),
        [&]() -> net::Task<void> {
            auto stream = client->open();
            co_await send(*stream, kGet);
            std::array<char, 64> buffer;
            EXPECT_FALSE(co_await stream->read_some(buffer, soon()));
            EXPECT_EQ(trouble_of(*stream).kind, Trouble::Kind::ping_timeout);
        },
        {.ping = milliseconds(40)});
}

TEST_F(MuxTest, an_answered_ping_keeps_a_waiting_stream_alive) {
    const auto late = [&](net::Stream stream) -> net::Task<void> {
        request = co_await read_until(stream, "\r\n\r\n");
        co_await loop->sleep_until(loop->after(milliseconds(200)));
        co_await send(stream, kAnswer);
        co_await loop->sleep_until(loop->after(milliseconds(20)));
    };
    run(late,
        [&]() -> net::Task<void> {
            auto stream = client->open();
            co_await send(*stream, kGet);
            EXPECT_TRUE((co_await read_until(*stream, "hello")).ends_with("hello"));
        },
        {.ping = milliseconds(40)});
}

TEST_F(MuxTest, an_idle_connection_ends_after_its_time) {
    run(answering(kAnswer),
        [&]() -> net::Task<void> {
            co_await loop->sleep_until(loop->after(milliseconds(150)));
            EXPECT_TRUE(client->is_over());
            EXPECT_FALSE(client->trouble());
        },
        {.idle = milliseconds(40)});
}

TEST_F(MuxTest, an_idle_connection_ends_though_nothing_comes_after_its_last_stream) {
    run(answering(kAnswer),
        [&]() -> net::Task<void> {
            {
                auto stream = client->open();
                co_await send(*stream, kGet);
                EXPECT_TRUE((co_await read_until(*stream, "hello")).ends_with("hello"));
                co_await loop->sleep_until(loop->after(milliseconds(20)));
            }
            co_await loop->sleep_until(loop->after(milliseconds(150)));
            EXPECT_TRUE(client->is_over());
            EXPECT_FALSE(client->trouble());
        },
        {.idle = milliseconds(40)});
}

TEST_F(MuxTest, a_writer_whose_window_is_closed_is_told_that_its_stream_was_reset) {
    bool told = false;
    const auto endless = [&](net::Stream stream) -> net::Task<void> {
        request = co_await read_until(stream, "\r\n\r\n");
        const std::string text =
            "HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n" + std::string(5'000'000, 'x');
        std::array parts{net::part(text)};
        static_cast<void>(co_await stream.write_all(parts, soon()));
        EXPECT_EQ(trouble_of(stream).fault.rule, h2::Rule::reset);
        told = true;
    };
    run(endless, [&]() -> net::Task<void> {
        {
            auto stream = client->open();
            co_await send(*stream, kGet);
            co_await loop->sleep_until(loop->after(milliseconds(50)));
            EXPECT_FALSE(told);
        }
        co_await loop->sleep_until(loop->after(milliseconds(100)));
        EXPECT_TRUE(told);
    });
}

TEST_F(MuxTest, a_response_that_waits_for_its_window_still_goes_when_the_connection_shuts_down) {
    const std::string body(400'000, 'x');
    const auto large = [&](net::Stream stream) -> net::Task<void> {
        request = co_await read_until(stream, "\r\n\r\n");
        co_await send(
            stream, "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + body.substr(0, 300'000));
    };
    run(large, [&]() -> net::Task<void> {
        auto stream = client->open();
        co_await send(*stream, kGet);
        co_await loop->sleep_until(loop->after(milliseconds(50)));
        server->shut_down();
        co_await loop->sleep_until(loop->after(milliseconds(50)));
        const std::string got = co_await read_until(*stream, "never");
        EXPECT_EQ(got.size() - (got.find("\r\n\r\n") + 4), 300'000u);
    });
}

}  // namespace
}  // namespace edgecase::mux
