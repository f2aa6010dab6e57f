// Owns what the kernel knows of one TCP connection when something went wrong.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ip/endpoint.hpp"

namespace edgecase::net {

/// Source: tcp(7), TCP_INFO and SIOCOUTQ; what each tells: docs/evidence.md.
struct TcpFacts {
    std::string_view state;  // as ss(8) names it: ESTAB, SYN-SENT, CLOSE-WAIT...
    uint32_t rtt_us = 0;     // 0: no SYN-ACK was ever seen
    uint32_t send_mss_bytes = 0;
    uint64_t bytes_acked = 0;  // counts the SYN as one
    uint64_t bytes_received = 0;
    uint32_t unacked_segments = 0;
    uint32_t retransmits = 0;  // of the connection so far
    uint32_t backoff = 0;      // doublings of the retransmission timer now
    uint32_t probes = 0;       // unanswered zero-window or keep-alive probes
    uint32_t send_window_bytes = 0;
    uint32_t unacked_bytes = 0;     // SIOCOUTQ: unacknowledged and unsent
    uint32_t last_received_ms = 0;  // since data last arrived

    bool handshake_completed() const { return rtt_us > 0 || bytes_acked > 0; }
};

/// Errors: nullopt when the kernel gives nothing (not TCP, closed).
std::optional<TcpFacts> tcp_facts(int fd);

/// An ICMP message that ended a connection attempt.
struct IcmpError {
    bool is_v6 = false;
    uint8_t type = 0;
    uint8_t code = 0;
    std::optional<ip::Address> offender;  // who sent it
};

/// The newest message of the error queue, if there is one.
std::optional<IcmpError> take_icmp_error(int fd);

/// `host-unreachable`, `admin-prohibited`...; empty for codes without a name.
std::string_view icmp_name(const IcmpError& error);

}  // namespace edgecase::net
