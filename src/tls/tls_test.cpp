#include <sys/socket.h>

#include "tls/test_pair.hpp"

namespace edgecase::tls {
namespace {

using net::Background;
using net::Task;

TEST_F(TlsTest, both_roles_shake_hands_and_bytes_go_both_ways) {
    const auto from = client();
    const auto to = server();
    run([&]() -> Task<void> {
        Pair pair = co_await make_pair();
        const Both both = co_await shake(pair, *from, *to);
        EXPECT_TRUE(both.client && both.server);
        if (!both.client || !both.server) co_return;
        EXPECT_EQ(both.client->version, "TLSv1.3");
        EXPECT_EQ(both.client->cipher, both.server->cipher);
        EXPECT_EQ(both.client->alpn, Alpn::h2);
        EXPECT_EQ(both.server->alpn, Alpn::h2);
        EXPECT_EQ(both.server->sni, "lab.test");
        EXPECT_FALSE(both.client->resumed);
        EXPECT_EQ(both.client->certificate->subject, "CN=lab.test");
        EXPECT_EQ(both.client->certificate->issuer, "CN=Test Intermediate");
        EXPECT_EQ(both.client->certificate->chain_length, 2u);
        EXPECT_EQ(both.client->certificate->key, "EC P-256");
        std::array parts{net::part("head "), net::part(""), net::part("body")};
        EXPECT_TRUE(co_await pair.client.write_all(parts, soon()));
        EXPECT_EQ(co_await read(pair.server, soon()), "head body") << "one record";
        EXPECT_EQ(pair.client.bytes_written(), 9u);
        EXPECT_TRUE(co_await write(pair.server, "answer", soon()));
        EXPECT_EQ(co_await read(pair.client, soon()), "answer");
        EXPECT_EQ(fault(pair.client), nullptr);
    });
}

TEST_F(TlsTest, a_megabyte_waits_for_its_reader_and_arrives_whole) {
    const auto from = client();
    const auto to = server();
    run([&]() -> Task<void> {
        Pair pair = co_await make_pair();
        (void)co_await shake(pair, *from, *to);
        std::string data(9 << 20, '\0');
        for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * 31 % 251);
        auto send = [](net::Stream& stream, const std::string& bytes,
                       base::Deadline deadline) -> Task<bool> {
            const std::string_view all = bytes;
            std::array parts{net::part(all.substr(0, 100)), net::part(all.substr(100, 20'000)),
                             net::part(all.substr(20'100))};
            const net::WriteResult result = co_await stream.write_all(parts, deadline);
            co_return result.has_value();
        };
        Background<bool> writer(send(pair.server, data, soon()));
        writer.start();
        co_await loop->sleep_until(loop->after(milliseconds(50)));
        EXPECT_FALSE(writer.done());
        std::string got;
        std::string buffer(50'000, '\0');
        while (got.size() < data.size()) {
            const net::ReadResult read = co_await pair.client.read_some(buffer, soon());
            if (!read || *read == 0) break;
            got.append(buffer, 0, *read);
        }
        EXPECT_EQ(got.size(), data.size());
        EXPECT_TRUE(got == data);
        EXPECT_TRUE(co_await writer.join());
    });
}

TEST_F(TlsTest, an_idle_layer_holds_no_buffers) {
    const auto from = client();
    const auto to = server();
    run([&]() -> Task<void> {
        Pair pair = co_await make_pair();
        (void)co_await shake(pair, *from, *to);
        EXPECT_TRUE(co_await write(pair.client, "x", soon()));
        (void)co_await read(pair.server, soon());
        EXPECT_TRUE(co_await write(pair.server, "x", soon()));
        (void)co_await read(pair.client, soon());
        EXPECT_FALSE(pair.client.has_unread());
        EXPECT_FALSE(layer_of(pair.client).holds_buffers());
        EXPECT_FALSE(layer_of(pair.server).holds_buffers());
        EXPECT_FALSE(pair.client.descriptor().may_read());
    });
}

TEST_F(TlsTest, a_part_of_a_record_is_nothing_to_read) {
    const auto from = client();
    const auto to = server();
    run([&]() -> Task<void> {
        Pair pair = co_await make_pair();
        (void)co_await shake(pair, *from, *to);
        EXPECT_FALSE(pair.client.has_unread());  // takes the tickets
        const std::string_view half = "\x17\x03\x03\x01\x00 half of it";
        EXPECT_GT(::send(pair.server.fd(), half.data(), half.size(), 0), 0);
        std::array<char, 100> buffer;
        const auto got = co_await pair.client.read_some(buffer, loop->after(milliseconds(30)));
        EXPECT_EQ(got.error().kind, net::ErrorKind::deadline);
        EXPECT_FALSE(pair.client.descriptor().may_read());
        EXPECT_FALSE(pair.client.has_unread());
        EXPECT_FALSE(layer_of(pair.client).holds_buffers());
    });
}

TEST_F(TlsTest, the_next_connection_resumes_the_session) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        const auto from = client();
        const auto raw = raw_server(authority().good);
        SSL_CTX_set_max_proto_version(raw.get(), version);
        run([&]() -> Task<void> {
            for (int i = 0; i < 3; ++i) {
                Pair pair = co_await make_pair();
                const Both both = co_await shake(pair, *from, raw.get());
                EXPECT_TRUE(both.client);
                if (!both.client) co_return;
                EXPECT_EQ(both.client->resumed, i > 0) << both.client->version;
                EXPECT_EQ(both.client->certificate->subject, "CN=lab.test");
                EXPECT_TRUE(co_await write(pair.server, "x", soon()));
                EXPECT_EQ(co_await read(pair.client, soon()), "x");
                if (i == 1) {
                    pair.server.close();  // as origins do; here with close_notify
                    EXPECT_EQ(co_await read(pair.client, soon()), "FIN");
                }
            }
            EXPECT_EQ(from->sessions(), 1u);
            // Another name is verified anew.
            Pair pair = co_await make_pair();
            const Both both = co_await shake(pair, *from, raw.get(), "a.wild.test");
            EXPECT_TRUE(both.client && !both.client->resumed);
        });
    }
}

TEST_F(TlsTest, workers_open_each_others_tickets) {
    const auto from = client();
    const auto to = server();
    run([&]() -> Task<void> {
        for (int i = 0; i < 2; ++i) {
            Pair pair = co_await make_pair();
            const Both both = co_await shake(pair, *from, *to);
            EXPECT_TRUE(both.server);
            if (!both.server) co_return;
            EXPECT_EQ(both.server->resumed, i > 0);
            EXPECT_FALSE(pair.client.has_unread());  // the ticket
        }
    });
}

TEST_F(TlsTest, the_server_name_chooses_the_certificate) {
    folder.write("exact", authority().leaf({.subject = "exact", .names = "DNS:a.wild.test"}));
    const std::array files{
        ServerCertificate{folder.path("good.pem"), folder.path("good-key.pem")},
        ServerCertificate{folder.path("exact.pem"), folder.path("exact-key.pem")}};
    const auto to = *ServerContext::create(files, false);
    const auto from = client();
    run([&]() -> Task<void> {
        for (const auto& [name, subject] : {std::pair{"a.wild.test", "CN=exact"},
                                            {"A.WILD.test", "CN=exact"},
                                            {"b.wild.test", "CN=lab.test"},
                                            {"127.0.0.1", "CN=lab.test"}}) {
            Pair pair = co_await make_pair();
            const Both both = co_await shake(pair, *from, *to, name);
            EXPECT_TRUE(both.client) << name;
            if (!both.client) co_return;
            EXPECT_EQ(both.client->certificate->subject, subject);
            EXPECT_EQ(both.client->alpn, Alpn::http1);
        }
    });
}

TEST_F(TlsTest, an_end_without_close_notify_is_an_end_and_a_reset_is_a_reset) {
    const auto from = client();
    const auto to = server();
    run([&]() -> Task<void> {
        Pair plain = co_await make_pair();
        (void)co_await shake(plain, *from, *to);
        EXPECT_TRUE(co_await write(plain.server, "x", soon()));
        EXPECT_EQ(co_await read(plain.client, soon()), "x");
        ::shutdown(plain.server.fd(), SHUT_WR);
        EXPECT_EQ(co_await read(plain.client, soon()), "FIN");
        EXPECT_EQ(co_await read(plain.client, soon()), "FIN");
        EXPECT_EQ(fault(plain.client), nullptr);
        Pair reset = co_await make_pair();
        (void)co_await shake(reset, *from, *to);
        EXPECT_FALSE(reset.client.has_unread());
        reset.server.abort();
        EXPECT_EQ(co_await read(reset.client, soon()), "reset");
        EXPECT_TRUE(reset.client.has_unread());
    });
}

TEST_F(TlsTest, close_notify_is_an_end_after_which_writes_go_on) {
    const auto from = client();
    const auto to = server();
    run([&]() -> Task<void> {
        Pair pair = co_await make_pair();
        (void)co_await shake(pair, *from, *to);
        pair.client.shutdown_write();
        EXPECT_EQ(co_await read(pair.server, soon()), "FIN");
        EXPECT_TRUE(co_await write(pair.server, "late", soon()));
        EXPECT_EQ(co_await read(pair.client, soon()), "late");
        pair.server.close();
        EXPECT_TRUE(co_await pair.client.wait_readable(soon()));
        EXPECT_TRUE(pair.client.has_unread());
        EXPECT_EQ(co_await read(pair.client, soon()), "FIN");
    });
}

TEST_F(TlsTest, a_record_that_cannot_be_opened_breaks_the_layer) {
    const auto from = client();
    const auto to = server();
    run([&]() -> Task<void> {
        Pair pair = co_await make_pair();
        (void)co_await shake(pair, *from, *to);
        EXPECT_FALSE(pair.client.has_unread());
        const std::string forged = std::string("\x17\x03\x03\x00\x28", 5) + std::string(40, 'x');
        EXPECT_GT(::send(pair.server.fd(), forged.data(), forged.size(), 0), 0);
        EXPECT_EQ(co_await read(pair.client, soon()), "layer");
        const LayerFault* const why = fault(pair.client);
        EXPECT_NE(why, nullptr);
        if (why == nullptr) co_return;
        EXPECT_EQ(why->alert, "bad_record_mac");
        EXPECT_FALSE(why->alert_received);
        EXPECT_FALSE(why->detail.empty());
        EXPECT_EQ(pair.client.layer()->broken().alert, 20);
        EXPECT_FALSE(co_await write(pair.client, "x", soon()));
        EXPECT_EQ(co_await read(pair.server, soon()), "layer");
        EXPECT_EQ(fault(pair.server)->alert, "bad_record_mac");
        EXPECT_TRUE(fault(pair.server)->alert_received);
    });
}

TEST_F(TlsTest, a_missing_client_certificate_is_told_in_both_versions) {
    const auto raw = raw_server(authority().good);
    SSL_CTX_set_verify(raw.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    const auto from = client();
    run([&]() -> Task<void> {
        Pair pair = co_await make_pair();
        const Both both = co_await shake(pair, *from, raw.get());
        EXPECT_TRUE(both.client) << "in TLS 1.3 the alert comes later";
        EXPECT_EQ(co_await read(pair.client, soon()), "layer");
        const LayerFault* const why = fault(pair.client);
        EXPECT_TRUE(why != nullptr && why->client_cert_required);
        EXPECT_EQ(why->alert, "certificate_required");
    });
    SSL_CTX_set_max_proto_version(raw.get(), TLS1_2_VERSION);
    const HandshakeError error = error_of(raw.get());
    EXPECT_EQ(error.fault, HandshakeFault::client_cert_required);
    EXPECT_EQ(error.alert, "handshake_failure");
    EXPECT_TRUE(error.alert_received);
    EXPECT_TRUE(error.facts.client_cert_requested);
    EXPECT_FALSE(error.facts.client_cert_sent);
}

TEST_F(TlsTest, a_client_certificate_is_taken_or_rejected) {
    const auto raw = raw_server(authority().good);
    SSL_CTX_set_verify(raw.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(raw.get()), authority().root.certificate.get());
    const auto known = client(with_certificate("client"));
    const auto stranger = client(with_certificate("stranger"));
    run([&]() -> Task<void> {
        Pair good = co_await make_pair();
        const Both both = co_await shake(good, *known, raw.get());
        EXPECT_TRUE(both.client && both.server);
        EXPECT_TRUE(both.client->client_cert_requested && both.client->client_cert_sent);
        Pair bad = co_await make_pair();
        (void)co_await shake(bad, *stranger, raw.get());
        EXPECT_EQ(co_await read(bad.client, soon()), "layer");
        EXPECT_TRUE(fault(bad.client)->client_cert_rejected);
        EXPECT_EQ(fault(bad.client)->alert, "unknown_ca");
    });
    SSL_CTX_set_max_proto_version(raw.get(), TLS1_2_VERSION);
    EXPECT_EQ(error_of(raw.get(), with_certificate("stranger")).fault,
              HandshakeFault::client_cert_rejected);
}

TEST_F(TlsTest, what_is_no_tls_is_named_with_its_first_bytes) {
    const HandshakeError http = error_after("HTTP/1.1 400 Bad Request\r\n\r\n", false);
    EXPECT_EQ(http.fault, HandshakeFault::peer_plaintext);
    EXPECT_EQ(http.first_bytes, "HTTP/1.1 400 Bad Request\r\n\r\n");
    EXPECT_EQ(error_after("SSH-2.0-x\r\n", true).fault, HandshakeFault::peer_plaintext);
    EXPECT_EQ(error_after("220", true).fault, HandshakeFault::peer_plaintext);
    EXPECT_EQ(error_after("220", false, false, milliseconds(50)).fault,
              HandshakeFault::peer_plaintext);
}

TEST_F(TlsTest, fin_rst_and_silence_end_a_handshake) {
    const HandshakeError fin = error_after("", true);
    EXPECT_EQ(fin.fault, HandshakeFault::fin);
    EXPECT_EQ(fin.facts.sni, "lab.test");
    EXPECT_FALSE(fin.state.empty());
    const HandshakeError rst = error_after("", false, true);
    EXPECT_EQ(rst.fault, HandshakeFault::rst);
    EXPECT_EQ(rst.error.name(), "ECONNRESET");
    const HandshakeError silence = error_after("", false, false, milliseconds(50));
    EXPECT_EQ(silence.fault, HandshakeFault::timeout);
    EXPECT_GE(silence.elapsed, milliseconds(40));
    EXPECT_EQ(silence.error.kind, net::ErrorKind::deadline);
}

TEST_F(TlsTest, alerts_before_a_server_hello_are_named) {
    const auto alert = [](char number) {
        return std::string("\x15\x03\x03\x00\x02\x02", 6) + number;
    };
    for (const auto& [number, fault, name] :
         {std::tuple{40, HandshakeFault::no_shared_cipher, "handshake_failure"},
          {70, HandshakeFault::version, "protocol_version"},
          {112, HandshakeFault::sni_rejected, "unrecognized_name"},
          {120, HandshakeFault::no_alpn, "no_application_protocol"},
          {80, HandshakeFault::alert, "internal_error"},
          {71, HandshakeFault::no_shared_cipher, "insufficient_security"}}) {
        const HandshakeError error = error_after(alert(static_cast<char>(number)), true);
        EXPECT_EQ(to_string(error.fault), to_string(fault));
        EXPECT_EQ(error.alert, name);
        EXPECT_EQ(error.alert_number, number);
        EXPECT_TRUE(error.alert_received);
    }
}

TEST_F(TlsTest, garbage_that_begins_like_tls_is_a_protocol_error) {
    const HandshakeError error =
        error_after(std::string("\x16\x03\x03\x00\x08\x63\x00\x00\x04xxxx", 13), true);
    EXPECT_EQ(error.fault, HandshakeFault::protocol_error);
    EXPECT_EQ(error.alert, "unexpected_message");
    EXPECT_FALSE(error.alert_received);
}

TEST_F(TlsTest, an_old_version_is_named) {
    const auto raw = raw_server(authority().good);
    SSL_CTX_set_min_proto_version(raw.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(raw.get(), TLS1_1_VERSION);
    EXPECT_EQ(error_of(raw.get()).fault, HandshakeFault::version);
    // A server hello of TLS 1.1, to a client that has not offered it.
    std::string hello("\x16\x03\x02\x00\x2a\x02\x00\x00\x26\x03\x02", 11);
    hello += std::string(32, 'r') + std::string("\x00\xc0\x13\x00", 4);
    EXPECT_EQ(error_after(hello, true).fault, HandshakeFault::version);
}

TEST_F(TlsTest, a_client_that_speaks_http_gets_a_plain_stream_back) {
    const auto to = server();
    run([&]() -> Task<void> {
        Pair pair = co_await make_pair();
        EXPECT_TRUE(co_await write(pair.client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", soon()));
        const Shaken shaken = co_await accept(pair.server, *to, soon());
        EXPECT_FALSE(shaken);
        EXPECT_EQ(shaken.error().fault, HandshakeFault::peer_plaintext);
        EXPECT_EQ(shaken.error().first_bytes, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        EXPECT_TRUE(co_await write(pair.server, "HTTP/1.1 400\r\n\r\n", soon()));
        EXPECT_EQ(co_await read(pair.client, soon()), "HTTP/1.1 400\r\n\r\n");
    });
}

TEST_F(TlsTest, a_server_tells_why_a_client_did_not_come_through) {
    const auto to = server();
    run([&]() -> Task<void> {
        Pair pair = co_await make_pair();
        Owned<SSL_CTX> raw(SSL_CTX_new(TLS_client_method()));
        SSL_CTX_set_security_level(raw.get(), 0);
        SSL_CTX_set_min_proto_version(raw.get(), TLS1_VERSION);
        SSL_CTX_set_max_proto_version(raw.get(), TLS1_1_VERSION);
        pair.client.set_layer(std::make_unique<TlsLayer>(pair.client.descriptor(),
                                                         Owned<SSL>(SSL_new(raw.get())),
                                                         TlsLayer::ClientSide{.name = "x"}));
        Background<Shaken> mine(shake_hands(pair.client, soon()));
        mine.start();
        const Shaken theirs = co_await accept(pair.server, *to, soon());
        EXPECT_EQ(theirs.error().fault, HandshakeFault::version);
        EXPECT_EQ(theirs.error().alert, "protocol_version");
        const Shaken own = co_await mine.join();
        EXPECT_EQ(own.error().fault, HandshakeFault::version);
    });
}

TEST_F(TlsTest, a_protocol_that_nobody_offers_is_refused) {
    const auto to = server(false);
    run([&]() -> Task<void> {
        Pair pair = co_await make_pair();
        Owned<SSL_CTX> raw(SSL_CTX_new(TLS_client_method()));
        SSL_CTX_set_alpn_protos(raw.get(), reinterpret_cast<const unsigned char*>("\x02h2"), 3);
        pair.client.set_layer(std::make_unique<TlsLayer>(pair.client.descriptor(),
                                                         Owned<SSL>(SSL_new(raw.get())),
                                                         TlsLayer::ClientSide{.name = "x"}));
        Background<Shaken> mine(shake_hands(pair.client, soon()));
        mine.start();
        const Shaken theirs = co_await accept(pair.server, *to, soon());
        EXPECT_EQ(theirs.error().fault, HandshakeFault::no_alpn);
        const Shaken own = co_await mine.join();
        EXPECT_EQ(own.error().fault, HandshakeFault::no_alpn);
    });
}

TEST_F(TlsTest, a_handshake_that_is_given_up_leaves_nothing_behind) {
    const auto from = client();
    run([&]() -> Task<void> {
        Pair pair = co_await make_pair();
        {
            Background<Shaken> mine(connect(pair.client, *from, "lab.test", "key", true, soon()));
            mine.start();
            EXPECT_FALSE(mine.done());
        }
        pair.client.close();
        EXPECT_NE(co_await read(pair.server, soon()), "FIN") << "the client hello";
        EXPECT_EQ(co_await read(pair.server, soon()), "FIN");
        Pair other = co_await make_pair();
        Background<Shaken> cancelled(connect(other.client, *from, "a.test", "key", true, soon()));
        cancelled.start();
        other.client.descriptor().cancel_read();
        EXPECT_TRUE(cancelled.done());
        EXPECT_EQ(cancelled.result().error().fault, HandshakeFault::cancelled);
    });
}

TEST_F(TlsTest, bad_files_are_named) {
    const auto none = ClientContext::create({.ca_file = folder.path("none.pem")});
    EXPECT_NE(none.error().find(folder.path("none.pem")), std::string::npos);
    const auto half = ClientContext::create({.certificate_file = folder.path("client.pem")});
    EXPECT_NE(half.error().find("client.pem"), std::string::npos);
    const auto wrong = ClientContext::create(
        {.certificate_file = folder.path("client.pem"), .key_file = folder.path("good-key.pem")});
    EXPECT_NE(wrong.error().find("good-key.pem"), std::string::npos);
    const std::array files{ServerCertificate{folder.path("ca-key.pem"), folder.path("ca.pem")}};
    const auto swapped = ServerContext::create(files, true);
    EXPECT_NE(swapped.error().find("ca-key.pem"), std::string::npos);
    EXPECT_FALSE(ServerContext::create({}, true));
}

TEST_F(TlsTest, a_name_that_cannot_be_verified_is_an_internal_error) {
    const auto from = client();
    run([&]() -> Task<void> {
        for (const std::string& name :
             {std::string(), std::string("a\0b", 3), std::string(300, 'a')}) {
            Pair pair = co_await make_pair();
            const Shaken shaken = co_await connect(pair.client, *from, name, "k", true, soon());
            EXPECT_EQ(shaken.error().fault, HandshakeFault::internal);
            EXPECT_FALSE(shaken.error().detail.empty());
        }
    });
}

}  // namespace
}  // namespace edgecase::tls
