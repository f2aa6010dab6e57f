#include "tls/classification.hpp"

#include <gtest/gtest.h>

#include "tls/alert.hpp"

namespace edgecase::tls {
namespace {

using namespace std::string_view_literals;

TEST(Classification, only_record_types_and_old_hellos_may_be_tls) {
    EXPECT_TRUE(may_be_tls(""));
    EXPECT_TRUE(may_be_tls("\x16\x03\x01"sv));
    EXPECT_TRUE(may_be_tls("\x15"sv));
    EXPECT_TRUE(may_be_tls("\x80\x2e\x01"sv));
    EXPECT_FALSE(may_be_tls("HTTP/1.1"));
    EXPECT_FALSE(may_be_tls("SSH-2.0"));
    EXPECT_FALSE(may_be_tls("\0\0\x12\x04"sv));
    EXPECT_FALSE(may_be_tls("\x80\x2e\x04"sv));
}

TEST(Classification, a_handshake_failure_means_what_went_before_it) {
    Observations seen{.alert_received = 40};
    EXPECT_EQ(classify(seen), HandshakeFault::no_shared_cipher);
    seen.server_hello_seen = true;
    EXPECT_EQ(classify(seen), HandshakeFault::alert);
    seen.client_cert_requested = true;
    EXPECT_EQ(classify(seen), HandshakeFault::client_cert_required);
    seen.client_cert_sent = true;
    EXPECT_EQ(classify(seen), HandshakeFault::alert);
}

TEST(Classification, what_was_said_counts_more_than_how_it_ended) {
    Observations seen{.alert_received = 80, .read_error = net::Error{net::ErrorKind::reset}};
    EXPECT_EQ(classify(seen), HandshakeFault::alert);
    seen.alert_received = -1;
    EXPECT_EQ(classify(seen), HandshakeFault::rst);
    seen.first_bytes = "HTTP/1.1 400";
    EXPECT_EQ(classify(seen), HandshakeFault::peer_plaintext);
    seen.wait_error = net::Error{net::ErrorKind::cancelled};
    EXPECT_EQ(classify(seen), HandshakeFault::cancelled);
    EXPECT_EQ(classify({.write_error = net::Error{net::ErrorKind::broken_pipe}, .got_fin = true}),
              HandshakeFault::fin);
    EXPECT_EQ(classify({.read_error = net::Error{net::ErrorKind::timed_out}}),
              HandshakeFault::timeout);
}

TEST(Classification, alerts_about_our_certificate_need_a_request_for_it) {
    for (const int alert : {42, 43, 44, 45, 46, 48, 49}) {
        EXPECT_EQ(client_certificate_fault(alert, false, false), std::nullopt);
        EXPECT_EQ(client_certificate_fault(alert, true, true),
                  HandshakeFault::client_cert_rejected);
        EXPECT_EQ(client_certificate_fault(alert, true, false),
                  HandshakeFault::client_cert_required);
    }
    EXPECT_EQ(client_certificate_fault(116, false, false), HandshakeFault::client_cert_required);
    EXPECT_EQ(client_certificate_fault(80, true, true), std::nullopt);
}

TEST(Classification, every_fault_and_alert_has_a_name) {
    EXPECT_EQ(to_string(HandshakeFault::cert_unknown_ca), "cert_unknown_ca");
    EXPECT_EQ(alert_name(116), "certificate_required");
    EXPECT_EQ(alert_name(200), "alert");
}

}  // namespace
}  // namespace edgecase::tls
