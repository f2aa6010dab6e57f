// TLS and HTTP/2 ports of the lab, as a client of OpenSSL's sees them.
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>

#include <filesystem>
#include <map>
#include <memory>
#include <set>

#include "lab/h2_frames.hpp"
#include "lab/hpack.hpp"
#include "lab/lab.hpp"
#include "lab/scenario.hpp"
#include "lab/tls_stream.hpp"

namespace edgecase::lab {
namespace {

constexpr int kWaitMs = 10'000;

/// What an edge would do: trusts the lab's root only, TLS 1.2 and 1.3.
struct TlsClient {
    Socket socket;
    TlsContext context{SSL_CTX_new(TLS_client_method())};
    std::unique_ptr<SSL, FreeSsl> state;
    bool shook_hands = false;
    long verdict = X509_V_OK;  // of the certificate
    int reason = 0;            // the first error of OpenSSL's queue
    bool got_rst = false;

    TlsClient(const Ports& ports, const Scenario& scenario, std::string_view alpn = "",
              const std::string& client_certificate = "")
        : socket(begin_connect(ports.origin(scenario))) {
        SSL_CTX* const made = context.get();
        SSL_CTX_set_min_proto_version(made, TLS1_2_VERSION);
        SSL_CTX_set_security_level(made, 2);
        SSL_CTX_load_verify_locations(made, ports.ca_file().c_str(), nullptr);
        SSL_CTX_set_verify(made, SSL_VERIFY_PEER, nullptr);
        if (!client_certificate.empty()) {
            const std::string path = ports.files + "/" + client_certificate;
            SSL_CTX_use_certificate_chain_file(made, (path + ".pem").c_str());
            SSL_CTX_use_PrivateKey_file(made, (path + "-key.pem").c_str(), SSL_FILETYPE_PEM);
        }
        state.reset(SSL_new(made));
        SSL_set_alpn_protos(state.get(), reinterpret_cast<const unsigned char*>(alpn.data()),
                            static_cast<unsigned>(alpn.size()));
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(state.get()), "127.0.0.1");
        if (!scenario.origin_name.empty()) {
            SSL_set_tlsext_host_name(state.get(), std::string(scenario.origin_name).c_str());
        }
        SSL_set_fd(state.get(), socket.descriptor());
        wait(POLLOUT);
        shook_hands = drive([this] { return SSL_connect(state.get()); }) == 1;
        verdict = SSL_get_verify_result(state.get());
    }

    bool wait(short events) const {
        pollfd polled{socket.descriptor(), events, 0};
        return poll(&polled, 1, kWaitMs) == 1;
    }

    /// Repeats `step` until it succeeds or fails for good.
    template <typename Step>
    int drive(Step step) {
        while (true) {
            ERR_clear_error();
            errno = 0;
            const int result = step();
            if (result > 0) return result;
            const int error = SSL_get_error(state.get(), result);
            if (error == SSL_ERROR_WANT_READ && wait(POLLIN)) continue;
            if (error == SSL_ERROR_WANT_WRITE && wait(POLLOUT)) continue;
            got_rst = error == SSL_ERROR_SYSCALL && errno == ECONNRESET;
            reason = ERR_GET_REASON(ERR_peek_error());
            return result;
        }
    }

    void send(std::string_view bytes) {
        drive([&] { return SSL_write(state.get(), bytes.data(), static_cast<int>(bytes.size())); });
    }

    /// Reads until the end.
    std::string read() {
        std::string received;
        std::array<char, 4096> buffer;
        while (true) {
            const int got = drive([&] {
                return SSL_read(state.get(), buffer.data(), static_cast<int>(buffer.size()));
            });
            if (got <= 0) return received;
            received.append(buffer.data(), static_cast<size_t>(got));
        }
    }

    std::string ask(std::string_view path) {
        send("GET " + std::string(path) + " HTTP/1.1\r\nHost: lab.test\r\n\r\n");
        return read();
    }
};

class TlsLab : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        auto started = Lab::start({});
        ASSERT_TRUE(started) << started.error();
        lab = std::move(*started);
    }
    static void TearDownTestSuite() { lab.reset(); }

    static TlsClient connect(std::string_view name, std::string_view alpn = "",
                             const std::string& client_certificate = "") {
        const Scenario* const scenario = find_scenario(name);
        EXPECT_NE(scenario, nullptr) << name;
        return {lab->ports(), *scenario, alpn, client_certificate};
    }

    static inline std::unique_ptr<Lab> lab;
};

TEST_F(TlsLab, shows_a_good_certificate_for_each_of_its_names) {
    const TlsClient client = connect("ok-tls");
    EXPECT_TRUE(client.shook_hands);
    EXPECT_EQ(client.verdict, X509_V_OK);
    X509* const shown = SSL_get0_peer_certificate(client.state.get());
    for (const auto* const name : {"localhost", "lab.test", "ok.lab.test"}) {
        EXPECT_EQ(X509_check_host(shown, name, 0, 0, nullptr), 1) << name;
    }
    for (const auto* const address : {"127.0.0.1", "::1"}) {
        EXPECT_EQ(X509_check_ip_asc(shown, address, 0), 1) << address;
    }
}

TEST_F(TlsLab, answers_over_tls_as_it_does_without) {
    TlsClient client = connect("ok-tls");
    EXPECT_TRUE(client.ask("/ok").ends_with("The origin is well.\n"));
    TlsClient alias = connect("ok-tls");
    EXPECT_TRUE(alias.ask("/ok-tls").ends_with("The origin is well.\n"));
    TlsClient gone = connect("ok-tls");
    EXPECT_EQ(gone.ask("/resp.empty_fin"), "");
    EXPECT_FALSE(gone.got_rst);
    TlsClient reset = connect("ok-tls");
    EXPECT_EQ(reset.ask("/resp.empty_rst"), "");
    EXPECT_TRUE(reset.got_rst);
    TlsClient killed = connect("ok-tls");
    EXPECT_TRUE(killed.ask("/body.short_fin-killed_child").contains("The process"));
}

TEST_F(TlsLab, keeps_connections_on_the_reuse_port) {
    TlsClient client = connect("ok-tls-keep_alive");
    client.send("GET /ok HTTP/1.1\r\n\r\nGET /ok HTTP/1.1\r\nConnection: close\r\n\r\n");
    const std::string both = client.read();
    EXPECT_NE(both.find("HTTP/1.1 200 OK"), both.rfind("HTTP/1.1 200 OK"));
}

TEST_F(TlsLab, shows_certificates_that_are_wrong_as_their_scenarios_say) {
    const std::map<std::string_view, long> verdicts{
        {"tls.cert.expired", X509_V_ERR_CERT_HAS_EXPIRED},
        {"tls.cert.expired-intermediate", X509_V_ERR_CERT_HAS_EXPIRED},
        {"tls.cert.not_yet_valid", X509_V_ERR_CERT_NOT_YET_VALID},
        {"tls.cert.name", X509_V_ERR_IP_ADDRESS_MISMATCH},
        {"tls.cert.name-common_name", X509_V_ERR_IP_ADDRESS_MISMATCH},
        {"tls.cert.unknown_ca", X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN},
        {"tls.cert.unknown_ca-no_root", X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY},
        {"tls.cert.self_signed", X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT},
        {"tls.cert.incomplete_chain", X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY},
        {"tls.cert.weak", X509_V_ERR_EE_KEY_TOO_SMALL},
        {"tls.cert.weak-sha1", X509_V_ERR_CA_MD_TOO_WEAK},
        {"tls.cert.bad_purpose", X509_V_ERR_INVALID_PURPOSE},
        {"tls.cert.invalid", X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION},
    };
    for (const Scenario& scenario : scenarios()) {
        if (!scenario.name.starts_with("tls.cert.")) continue;
        ASSERT_TRUE(verdicts.contains(scenario.name)) << scenario.name;
        const TlsClient client = connect(scenario.name);
        EXPECT_FALSE(client.shook_hands) << scenario.name;
        EXPECT_EQ(client.verdict, verdicts.at(scenario.name))
            << scenario.name << ": " << X509_verify_cert_error_string(client.verdict);
    }
}

TEST_F(TlsLab, ends_handshakes_as_its_scenarios_say) {
    constexpr int kAlert = SSL_AD_REASON_OFFSET;
    constexpr std::string_view kHttp1 = "\x08http/1.1";
    const std::map<std::string_view, int> reasons{
        {"tls.peer_plaintext", SSL_R_WRONG_VERSION_NUMBER},
        {"tls.peer_plaintext-ssh", SSL_R_WRONG_VERSION_NUMBER},
        {"tls.fin", SSL_R_UNEXPECTED_EOF_WHILE_READING},
        {"tls.version", kAlert + SSL_AD_PROTOCOL_VERSION},
        {"tls.version-server_hello", SSL_R_UNSUPPORTED_PROTOCOL},
        {"tls.no_shared_cipher", kAlert + SSL_AD_HANDSHAKE_FAILURE},
        {"tls.no_shared_cipher-tls13", kAlert + SSL_AD_HANDSHAKE_FAILURE},
        {"tls.no_shared_cipher-certificate", kAlert + SSL_AD_HANDSHAKE_FAILURE},
        {"tls.no_alpn", kAlert + SSL_AD_NO_APPLICATION_PROTOCOL},
        {"tls.sni_rejected", kAlert + SSL_AD_UNRECOGNIZED_NAME},
        {"tls.alert", kAlert + SSL_AD_INTERNAL_ERROR},
        {"tls.protocol_error", SSL_R_UNEXPECTED_MESSAGE},
        {"tls.protocol_error-server_hello", SSL_R_LENGTH_MISMATCH},
    };
    for (const auto& [name, reason] : reasons) {
        const TlsClient client = connect(name, kHttp1);
        EXPECT_FALSE(client.shook_hands) << name;
        EXPECT_EQ(client.reason, reason)
            << name << ": " << ERR_reason_error_string(ERR_PACK(ERR_LIB_SSL, 0, client.reason));
    }
    const TlsClient reset = connect("tls.rst");
    EXPECT_FALSE(reset.shook_hands);
    EXPECT_TRUE(reset.got_rst);
}

TEST_F(TlsLab, demands_client_certificates) {
    TlsClient none = connect("tls.client_cert_required");
    EXPECT_TRUE(none.shook_hands);  // TLS 1.3: the alert comes later
    EXPECT_EQ(none.ask("/ok"), "");
    EXPECT_EQ(none.reason, SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED);
    EXPECT_FALSE(connect("tls.client_cert_required-tls12").shook_hands);

    TlsClient stranger = connect("tls.client_cert_rejected", "", "stranger");
    EXPECT_EQ(stranger.ask("/ok"), "");
    EXPECT_EQ(stranger.reason, SSL_AD_REASON_OFFSET + SSL_AD_UNKNOWN_CA);
    EXPECT_FALSE(connect("tls.client_cert_rejected-tls12", "", "stranger").shook_hands);

    TlsClient good = connect("ok-tls-client_cert", "", "client");
    EXPECT_TRUE(good.ask("/ok").ends_with("The origin is well.\n"));
}

TEST_F(TlsLab, breaks_tls_after_the_request) {
    const auto reason = [](std::string_view path) {
        TlsClient client = connect("ok-tls");
        client.ask(path);
        return client.reason;
    };
    EXPECT_EQ(reason("/tls.broken"), SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC);
    EXPECT_EQ(reason("/tls.broken-mid_body"), SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC);
    EXPECT_EQ(reason("/tls.broken-plaintext"), SSL_R_WRONG_VERSION_NUMBER);
}

TEST_F(TlsLab, agrees_by_alpn_as_the_target_says) {
    constexpr std::string_view kBoth = "\x02h2\x08http/1.1";
    constexpr std::string_view kHttp1 = "\x08http/1.1";
    const auto chosen = [](const TlsClient& client) {
        const unsigned char* name = nullptr;
        unsigned size = 0;
        SSL_get0_alpn_selected(client.state.get(), &name, &size);
        return std::string(reinterpret_cast<const char*>(name), size);
    };
    EXPECT_EQ(chosen(connect("ok-h2", kBoth)), "h2");
    EXPECT_EQ(chosen(connect("ok-h2", kHttp1)), "http/1.1");
    EXPECT_EQ(chosen(connect("ok-tls", kBoth)), "http/1.1");
    EXPECT_EQ(chosen(connect("h2.refused", kBoth)), "h2");
    EXPECT_FALSE(connect("h2.refused", kHttp1).shook_hands);
    EXPECT_TRUE(connect("ok-h2").shook_hands);
}

/// The frames that answer one request on stream 1, until the lab ends the connection or `last` says
/// that this was the last one.
std::vector<h2::Frame> frames_for(TlsClient& client, std::string_view path, h2::Type last) {
    client.send(std::string(h2::kPreface) + h2::settings({}) +
                h2::headers(1,
                            {{":method", "GET"},
                             {":scheme", "https"},
                             {":authority", "lab.test"},
                             {":path", std::string(path)}},
                            h2::kEndStream));
    std::vector<h2::Frame> frames;
    std::string buffer;
    std::array<char, 16384> piece;
    while (frames.empty() || frames.back().type != last) {
        const int got = client.drive([&] {
            return SSL_read(client.state.get(), piece.data(), static_cast<int>(piece.size()));
        });
        if (got <= 0) break;
        buffer.append(piece.data(), static_cast<size_t>(got));
        while (auto frame = h2::take_frame(buffer)) frames.push_back(std::move(*frame));
    }
    return frames;
}

TEST_F(TlsLab, speaks_http2) {
    TlsClient client = connect("ok-h2", "\x02h2");
    const auto frames = frames_for(client, "/ok-h2", h2::Type::data);
    ASSERT_GE(frames.size(), 4u);
    EXPECT_EQ(frames[0].type, h2::Type::settings);
    EXPECT_FALSE(frames[0].has(h2::kAck));
    HpackDecoder decoder;
    const auto& head = frames[frames.size() - 2];
    const auto fields = decoder.decode(head.payload);
    ASSERT_TRUE(fields);
    EXPECT_EQ(fields->front(), (Field{":status", "200"}));
    EXPECT_EQ(frames.back().payload, "The origin is well, over HTTP/2.\n");
    EXPECT_TRUE(frames.back().has(h2::kEndStream));
}

TEST_F(TlsLab, sends_the_frames_of_a_scenario_as_they_stand) {
    for (const Scenario& scenario : scenarios()) {
        if (scenario.frames == nullptr) continue;
        std::string wanted = scenario.frames(1);
        std::string last_type = wanted;
        h2::Type last = h2::Type::settings;
        size_t count = 0;
        for (auto frame = h2::take_frame(last_type); frame; frame = h2::take_frame(last_type)) {
            last = frame->type;
            ++count;
        }
        // SETTINGS and its ACK come before: no good mark for the end.
        if (last == h2::Type::settings) continue;
        TlsClient client = connect(scenario.name, "\x02h2");
        const auto frames = frames_for(client, scenario.request_path(), last);
        ASSERT_GE(frames.size(), count) << scenario.name;
        std::string sent;
        for (const h2::Frame& frame : frames) {
            if (frame.type == h2::Type::settings) continue;
            sent += h2::frame(frame.type, frame.flags, frame.stream_id, frame.payload);
        }
        EXPECT_TRUE(wanted.starts_with(sent) || sent == wanted) << scenario.name;
    }
}

TEST_F(TlsLab, says_where_its_files_are_and_removes_them_at_its_end) {
    auto other = Lab::start({});
    ASSERT_TRUE(other);
    const std::string ca = (*other)->ports().ca_file();
    EXPECT_TRUE(std::filesystem::exists(ca));
    const Scenario* const demanding = find_scenario("ok-tls-client_cert");
    EXPECT_TRUE((*other)
                    ->ports()
                    .edge_config(*demanding)
                    .contains((*other)->ports().files + "/client-key.pem"));
    other->reset();
    EXPECT_FALSE(std::filesystem::exists(ca));
}

}  // namespace
}  // namespace edgecase::lab
