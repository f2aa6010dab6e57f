#include "net/tcp_facts.hpp"

#include <linux/errqueue.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

#include "net/socket_address.hpp"

namespace edgecase::net {
namespace {

constexpr std::array<std::string_view, 13> kStates{
    "",      "ESTAB",      "SYN-SENT", "SYN-RECV", "FIN-WAIT-1", "FIN-WAIT-2",  "TIME-WAIT",
    "CLOSE", "CLOSE-WAIT", "LAST-ACK", "LISTEN",   "CLOSING",    "NEW-SYN-RECV"};

}  // namespace

std::optional<TcpFacts> tcp_facts(int fd) {
    tcp_info info{};
    socklen_t size = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
    TcpFacts facts;
    if (info.tcpi_state < kStates.size()) facts.state = kStates[info.tcpi_state];
    facts.rtt_us = info.tcpi_rtt;
    facts.send_mss_bytes = info.tcpi_snd_mss;
    facts.bytes_acked = info.tcpi_bytes_acked;
    facts.bytes_received = info.tcpi_bytes_received;
    facts.unacked_segments = info.tcpi_unacked;
    facts.retransmits = info.tcpi_total_retrans;
    facts.backoff = info.tcpi_backoff;
    facts.probes = info.tcpi_probes;
    facts.send_window_bytes = info.tcpi_snd_wnd;
    facts.last_received_ms = info.tcpi_last_data_recv;
    int queued = 0;
    if (ioctl(fd, SIOCOUTQ, &queued) == 0 && queued > 0) {
        facts.unacked_bytes = static_cast<uint32_t>(queued);
    }
    return facts;
}

std::optional<IcmpError> take_icmp_error(int fd) {
    std::optional<IcmpError> newest;
    // A bound on the queue: the kernel keeps a handful, a hostile router may send more.
    for (int i = 0; i < 16; ++i) {
        std::array<char, 512> control{};
        std::array<char, 64> data{};
        iovec part{data.data(), data.size()};
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) break;
        for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
            const bool v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;
            const bool v6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;
            if (!v4 && !v6) continue;
            sock_extended_err error{};
            std::memcpy(&error, CMSG_DATA(c), sizeof error);
            if (error.ee_origin != SO_EE_ORIGIN_ICMP && error.ee_origin != SO_EE_ORIGIN_ICMP6) {
                continue;
            }
            IcmpError icmp;
            icmp.is_v6 = error.ee_origin == SO_EE_ORIGIN_ICMP6;
            icmp.type = error.ee_type;
            icmp.code = error.ee_code;
            sockaddr_storage storage{};
            const size_t room = c->cmsg_len - CMSG_LEN(0) - sizeof error;
            std::memcpy(&storage, CMSG_DATA(c) + sizeof error, std::min(room, sizeof storage));
            if (storage.ss_family != AF_UNSPEC) {
                icmp.offender = SocketAddress::endpoint_of(storage).address;
            }
            newest = icmp;
        }
    }
    return newest;
}

std::string_view icmp_name(const IcmpError& error) {
    // Source: RFC 792, RFC 1812 §5.2.7.1 (type 3); RFC 4443 §3.1 (type 1).
    if (!error.is_v6 && error.type == 3) {
        switch (error.code) {
            case 0:
                return "net-unreachable";
            case 1:
                return "host-unreachable";
            case 2:
                return "protocol-unreachable";
            case 3:
                return "port-unreachable";
            case 4:
                return "fragmentation-needed";
            case 9:
                return "net-prohibited";
            case 10:
                return "host-prohibited";
            case 13:
                return "admin-prohibited";
            default:
                return "";
        }
    }
    if (error.is_v6 && error.type == 1) {
        switch (error.code) {
            case 0:
                return "no-route";
            case 1:
                return "admin-prohibited";
            case 2:
                return "beyond-scope";
            case 3:
                return "address-unreachable";
            case 4:
                return "port-unreachable";
            case 5:
                return "policy-fail";
            case 6:
                return "reject-route";
            default:
                return "";
        }
    }
    return "";
}

}  // namespace edgecase::net
