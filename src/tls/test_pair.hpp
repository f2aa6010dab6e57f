// Owns a client and a server on one loop, for the tests of this room.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "net/connect.hpp"
#include "net/listener.hpp"
#include "net/loop.hpp"
#include "net/task_set.hpp"
#include "tls/handshake.hpp"
#include "tls/test_authority.hpp"

namespace edgecase::tls {

using std::chrono::milliseconds;
using Shaken = std::expected<HandshakeFacts, HandshakeError>;

struct Pair {
    net::Stream client;
    net::Stream server;
};

inline net::Task<bool> write(net::Stream& stream, std::string_view bytes, base::Deadline deadline) {
    std::array parts{net::part(bytes)};
    const net::WriteResult wrote = co_await stream.write_all(parts, deadline);
    co_return wrote.has_value();
}

/// What one read gives; the error's name if it gives none, `FIN` at the end.
inline net::Task<std::string> read(net::Stream& stream, base::Deadline deadline) {
    std::string buffer(64 * 1024, '\0');
    const net::ReadResult got = co_await stream.read_some(buffer, deadline);
    if (!got) co_return std::string(net::to_string(got.error().kind));
    co_return *got == 0 ? "FIN" : buffer.substr(0, *got);
}

class TlsTest : public testing::Test {
  protected:
    TlsTest() : loop(std::move(*net::Loop::create(clock))) {
        folder.write("ca", authority().root);
        folder.write("good", authority().good);
        folder.write("client", authority().client);
        folder.write("stranger", authority().stranger);
        listener.emplace(
            std::move(*net::Listener::listen(*loop, *ip::Endpoint::parse("127.0.0.1:0"), false)));
    }

    static const Authority& authority() {
        static const Authority made;
        return made;
    }

    void run(std::function<net::Task<void>()> body) {
        net::TaskSet tasks;
        tasks.spawn(stop_after(body()));
        loop->run();
    }
    net::Task<void> stop_after(net::Task<void> body) {
        co_await std::move(body);
        loop->stop();
    }
    base::Deadline soon() { return loop->after(milliseconds(3000)); }

    net::Task<Pair> make_pair() {
        auto client = co_await net::connect(*loop, listener->local(), {}, soon());
        auto server = co_await listener->accept(soon());
        co_return Pair{std::move(*client), std::move(server->stream)};
    }

    std::shared_ptr<ClientContext> client(ClientOptions options = {}) {
        if (options.ca_file.empty()) options.ca_file = folder.path("ca.pem");
        auto made = ClientContext::create(options);
        EXPECT_TRUE(made) << made.error();
        return *made;
    }
    ClientOptions with_certificate(const std::string& name) {
        return {.certificate_file = folder.path(name + ".pem"),
                .key_file = folder.path(name + "-key.pem")};
    }
    std::shared_ptr<ServerContext> server(bool offer_h2 = true) {
        const std::array files{
            ServerCertificate{folder.path("good.pem"), folder.path("good-key.pem")}};
        auto made = ServerContext::create(files, offer_h2);
        EXPECT_TRUE(made) << made.error();
        return *made;
    }

    static net::Task<Shaken> serve(net::Stream& stream, SSL_CTX* context, base::Deadline deadline) {
        stream.set_layer(
            std::make_unique<TlsLayer>(stream.descriptor(), Owned<SSL>(SSL_new(context))));
        co_return co_await shake_hands(stream, deadline);
    }

    struct Both {
        Shaken client;
        Shaken server;
    };
    /// Both handshakes, at once.
    net::Task<Both> shake(Pair& pair, ClientContext& from, SSL_CTX* to,
                          std::string name = "lab.test") {
        net::Background<Shaken> other(serve(pair.server, to, soon()));
        other.start();
        Shaken mine = co_await connect(pair.client, from, std::move(name), "key", true, soon());
        if (!mine) pair.client.close();
        Shaken theirs = co_await other.join();
        co_return Both{std::move(mine), std::move(theirs)};
    }
    net::Task<Both> shake(Pair& pair, ClientContext& from, ServerContext& to,
                          std::string name = "lab.test") {
        net::Background<Shaken> other(accept(pair.server, to, soon()));
        other.start();
        Shaken mine = co_await connect(pair.client, from, std::move(name), "key", true, soon());
        if (!mine) pair.client.close();
        Shaken theirs = co_await other.join();
        co_return Both{std::move(mine), std::move(theirs)};
    }
    /// What the client makes of a server with this context.
    HandshakeError error_of(SSL_CTX* context, ClientOptions options = {},
                            std::string name = "lab.test") {
        HandshakeError error;
        const auto from = client(std::move(options));
        run([&]() -> net::Task<void> {
            Pair pair = co_await make_pair();
            Both both = co_await shake(pair, *from, context, name);
            EXPECT_FALSE(both.client);
            if (!both.client) error = std::move(both.client.error());
        });
        return error;
    }
    /// What the client makes of a server that answers with these bytes.
    HandshakeError error_after(std::string bytes, bool closes, bool aborts = false,
                               milliseconds limit = milliseconds(3000)) {
        HandshakeError error;
        const auto from = client();
        run([&]() -> net::Task<void> {
            Pair pair = co_await make_pair();
            auto answer = [](net::Stream& stream, const std::string& text, bool fin, bool rst,
                             base::Deadline deadline) -> net::Task<void> {
                std::array<char, 4096> hello;
                (void)co_await stream.read_some(hello, deadline);
                (void)co_await write(stream, text, deadline);
                if (fin) stream.close();
                if (rst) stream.abort();
            };
            net::Background<void> other(answer(pair.server, bytes, closes, aborts, soon()));
            other.start();
            const Shaken shaken =
                co_await connect(pair.client, *from, "lab.test", "key", true, loop->after(limit));
            EXPECT_FALSE(shaken);
            if (!shaken) error = shaken.error();
        });
        return error;
    }

    base::SystemClock clock;
    Folder folder;
    std::unique_ptr<net::Loop> loop;
    std::optional<net::Listener> listener;
};

inline TlsLayer& layer_of(net::Stream& stream) {
    return static_cast<TlsLayer&>(*stream.layer());
}

}  // namespace edgecase::tls
