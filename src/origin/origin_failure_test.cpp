#include "origin/origin_failure.hpp"

#include <gtest/gtest.h>

#include <string>

namespace edgecase::origin {
namespace {

using net::ErrorKind;
using std::chrono::milliseconds;

const ip::Endpoint kOrigin = *ip::Endpoint::parse("192.0.2.1:80");

std::string_view cause_of(const net::ConnectError& error) {
    return connect_failure(error, kOrigin, milliseconds(19'000)).row().name;
}

net::ConnectError icmp(bool is_v6, uint8_t code, bool local = false) {
    net::ConnectError error{{ErrorKind::host_unreachable, 113}};
    error.icmp = net::IcmpError{is_v6, static_cast<uint8_t>(is_v6 ? 1 : 3), code, std::nullopt};
    error.offender_is_local = local;
    return error;
}

TEST(ConnectFailure, each_icmp_code_is_judged_by_what_it_says_not_by_errno) {
    EXPECT_EQ(cause_of(icmp(false, 0)), "connect.unroutable");
    EXPECT_EQ(cause_of(icmp(false, 1)), "connect.host_unreachable");
    EXPECT_EQ(cause_of(icmp(false, 2)), "connect.protocol_unreachable");
    EXPECT_EQ(cause_of(icmp(false, 3)), "connect.rejected");
    for (const uint8_t code : {uint8_t{9}, uint8_t{10}, uint8_t{13}}) {
        EXPECT_EQ(cause_of(icmp(false, code)), "connect.prohibited") << int{code};
    }
    EXPECT_EQ(cause_of(icmp(true, 0)), "connect.unroutable");
    EXPECT_EQ(cause_of(icmp(true, 1)), "connect.prohibited");
    EXPECT_EQ(cause_of(icmp(true, 3)), "connect.host_unreachable");
    EXPECT_EQ(cause_of(icmp(true, 4)), "connect.rejected");
}

TEST(ConnectFailure, an_icmp_message_from_this_machine_is_never_the_origins_fault) {
    EXPECT_EQ(cause_of(icmp(false, 1, true)), "connect.no_neighbour");
    EXPECT_EQ(cause_of(icmp(false, 13, true)), "connect.local_prohibited");
    EXPECT_EQ(cause_of(icmp(true, 3, true)), "connect.no_neighbour");
}

TEST(ConnectFailure, what_connect_says_at_once_is_this_machines_own_word) {
    const auto at_once = [](ErrorKind kind) {
        net::ConnectError error{{kind, 1}};
        error.at_once = true;
        return cause_of(error);
    };
    EXPECT_EQ(at_once(ErrorKind::address_unavailable), "connect.local_exhausted");
    EXPECT_EQ(at_once(ErrorKind::too_many_descriptors), "connect.local_exhausted");
    EXPECT_EQ(at_once(ErrorKind::net_unreachable), "connect.no_route");
    EXPECT_EQ(at_once(ErrorKind::host_unreachable), "connect.no_route");
    EXPECT_EQ(at_once(ErrorKind::invalid), "connect.no_route");
    EXPECT_EQ(at_once(ErrorKind::prohibited), "connect.local_prohibited");
}

TEST(ConnectFailure, a_reset_after_the_handshake_is_not_a_refusal) {
    net::ConnectError reset{{ErrorKind::reset, 104}};
    EXPECT_EQ(cause_of(reset), "connect.refused");
    reset.facts = net::TcpFacts{};
    reset.facts->rtt_us = 100;
    EXPECT_EQ(cause_of(reset), "connect.reset");
}

TEST(ConnectFailure, silence_is_a_timeout_and_evidence_tells_the_limit) {
    net::ConnectError silent{{ErrorKind::deadline, 0}};
    silent.facts = net::TcpFacts{};
    const auto failure = connect_failure(silent, kOrigin, milliseconds(19'000));
    EXPECT_EQ(failure.row().name, "connect.timeout");
    EXPECT_EQ(failure.row().status, 522);
    EXPECT_EQ(std::get<int64_t>(*failure.evidence().find("limit_ms")), 19'000);
    EXPECT_EQ(std::get<bool>(*failure.evidence().find("syn_ack_seen")), false);
}

TEST(DnsFailure, each_kind_of_answer_has_its_own_cause) {
    const auto name = [](net::DnsErrorKind kind) {
        return dns_failure({kind, "text", "192.0.2.53:53"}, "origin.test", milliseconds(3))
            .row()
            .name;
    };
    EXPECT_EQ(name(net::DnsErrorKind::nxdomain), "dns.nxdomain");
    EXPECT_EQ(name(net::DnsErrorKind::servfail), "dns.servfail");
    EXPECT_EQ(name(net::DnsErrorKind::refused), "dns.refused");
    EXPECT_EQ(name(net::DnsErrorKind::nodata), "dns.nodata");
    EXPECT_EQ(name(net::DnsErrorKind::timeout), "dns.timeout");
    EXPECT_EQ(name(net::DnsErrorKind::unreachable), "dns.resolver_unreachable");
    EXPECT_EQ(name(net::DnsErrorKind::malformed), "dns.malformed");
}

TEST(Retry, only_a_reused_connection_that_gave_no_byte_and_a_body_at_hand) {
    const cause::Failure stale(cause::Cause::reuse_stale, {});
    Connection reused;
    reused.requests = 2;
    Connection fresh;
    fresh.requests = 1;
    EXPECT_TRUE(may_retry(stale, &reused, 0, true, false));
    EXPECT_FALSE(may_retry(stale, &reused, 1, true, false));
    EXPECT_FALSE(may_retry(stale, &reused, 0, false, false));
    EXPECT_FALSE(may_retry(stale, &fresh, 0, true, false));
    EXPECT_TRUE(may_retry({cause::Cause::connect_refused, {}}, nullptr, 0, false, false));
    const cause::Failure malformed{cause::Cause::h2_forbidden_field, {}};
    EXPECT_TRUE(may_retry(malformed, &fresh, 0, true, true));
    EXPECT_FALSE(may_retry(malformed, &fresh, 0, true, false)) << "the handler has run";
    EXPECT_FALSE(may_retry({cause::Cause::h2_goaway, {}}, &reused, 0, true, true));
    const cause::Failure restart{cause::Cause::h2_goaway_graceful, {}};
    EXPECT_TRUE(may_retry(restart, &fresh, 0, true, true));
    EXPECT_FALSE(may_retry(restart, &fresh, 0, true, false)) << "the promise may have been kept";
    EXPECT_FALSE(may_retry(restart, &fresh, 1, true, true));
    EXPECT_TRUE(may_retry({cause::Cause::h2_goaway_unprocessed, {}}, &fresh, 0, true, false));
    EXPECT_FALSE(may_retry({cause::Cause::h2_ping_timeout, {}}, &reused, 0, true, true));
    EXPECT_FALSE(may_retry({cause::Cause::resp_empty_fin, {}}, &reused, 0, true, false));
}

TEST(Ending, a_broken_pipe_means_the_origin_had_already_sent_fin) {
    EXPECT_EQ(Ending::of({ErrorKind::broken_pipe, 32}).kind, Ending::Kind::fin);
    EXPECT_EQ(Ending::of({ErrorKind::reset, 104}).kind, Ending::Kind::rst);
    EXPECT_EQ(Ending::of({ErrorKind::timed_out, 110}).kind, Ending::Kind::lost);
}

}  // namespace
}  // namespace edgecase::origin
