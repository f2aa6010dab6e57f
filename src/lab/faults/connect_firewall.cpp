// Packets are rejected, reset or dropped by a firewall: nft rules for the origin's namespace.
#include <array>

#include "lab/faults/faults.hpp"

namespace edgecase::lab::faults {
namespace {

using cause::Cause;

constexpr std::string_view kDeleteTable = "nft delete table inet edgecase_lab";

// The kernel sends each host at most six ICMP errors at once and then one a second, which a client
// would see as a late answer: hence the sysctl.
constexpr std::array kScenarios{
    Scenario{.name = "connect.rejected",
             .cause = Cause::connect_rejected,
             .status = 521,
             .description = "A firewall rejects the SYN with ICMP port-unreachable.",
             .target = Target::network,
             .host = "{origin_ip}",
             .setup = "sysctl -qw net.ipv4.icmp_ratelimit=0; "
                      "nft 'add table inet edgecase_lab; "
                      "add chain inet edgecase_lab input { type filter hook input priority 0; }; "
                      "add rule inet edgecase_lab input tcp dport {origin_port} "
                      "reject with icmp type port-unreachable'",
             .teardown = kDeleteTable,
             .side = Side::origin},
    Scenario{.name = "connect.unroutable",
             .cause = Cause::connect_unroutable,
             .status = 523,
             .description = "The SYN is answered with ICMP net-unreachable.",
             .target = Target::network,
             .host = "{origin_ip}",
             .setup = "sysctl -qw net.ipv4.icmp_ratelimit=0; "
                      "nft 'add table inet edgecase_lab; "
                      "add chain inet edgecase_lab input { type filter hook input priority 0; }; "
                      "add rule inet edgecase_lab input tcp dport {origin_port} "
                      "reject with icmp type net-unreachable'",
             .teardown = kDeleteTable,
             .side = Side::origin},
    Scenario{.name = "connect.host_unreachable",
             .cause = Cause::connect_host_unreachable,
             .status = 523,
             .description = "The SYN is answered with ICMP host-unreachable.",
             .target = Target::network,
             .host = "{origin_ip}",
             .setup = "sysctl -qw net.ipv4.icmp_ratelimit=0; "
                      "nft 'add table inet edgecase_lab; "
                      "add chain inet edgecase_lab input { type filter hook input priority 0; }; "
                      "add rule inet edgecase_lab input tcp dport {origin_port} "
                      "reject with icmp type host-unreachable'",
             .teardown = kDeleteTable,
             .side = Side::origin},
    Scenario{.name = "connect.protocol_unreachable",
             .cause = Cause::connect_protocol_unreachable,
             .status = 523,
             .description = "The SYN is answered with ICMP protocol-unreachable.",
             .target = Target::network,
             .host = "{origin_ip}",
             .setup = "sysctl -qw net.ipv4.icmp_ratelimit=0; "
                      "nft 'add table inet edgecase_lab; "
                      "add chain inet edgecase_lab input { type filter hook input priority 0; }; "
                      "add rule inet edgecase_lab input tcp dport {origin_port} "
                      "reject with icmp type prot-unreachable'",
             .teardown = kDeleteTable,
             .side = Side::origin},
    Scenario{.name = "connect.prohibited",
             .cause = Cause::connect_prohibited,
             .status = 523,
             .description = "A firewall rejects the SYN with ICMP admin-prohibited (3/13).",
             .target = Target::network,
             .host = "{origin_ip}",
             .setup = "sysctl -qw net.ipv4.icmp_ratelimit=0; "
                      "nft 'add table inet edgecase_lab; "
                      "add chain inet edgecase_lab input { type filter hook input priority 0; }; "
                      "add rule inet edgecase_lab input tcp dport {origin_port} "
                      "reject with icmp type admin-prohibited'",
             .teardown = kDeleteTable,
             .side = Side::origin},
    Scenario{.name = "connect.prohibited-net",
             .cause = Cause::connect_prohibited,
             .status = 523,
             .description = "A firewall rejects the SYN with ICMP net-prohibited (3/9).",
             .target = Target::network,
             .host = "{origin_ip}",
             .setup = "sysctl -qw net.ipv4.icmp_ratelimit=0; "
                      "nft 'add table inet edgecase_lab; "
                      "add chain inet edgecase_lab input { type filter hook input priority 0; }; "
                      "add rule inet edgecase_lab input tcp dport {origin_port} "
                      "reject with icmp type net-prohibited'",
             .teardown = kDeleteTable,
             .side = Side::origin},
    Scenario{.name = "connect.prohibited-host",
             .cause = Cause::connect_prohibited,
             .status = 523,
             .description = "A firewall rejects the SYN with ICMP host-prohibited (3/10).",
             .target = Target::network,
             .host = "{origin_ip}",
             .setup = "sysctl -qw net.ipv4.icmp_ratelimit=0; "
                      "nft 'add table inet edgecase_lab; "
                      "add chain inet edgecase_lab input { type filter hook input priority 0; }; "
                      "add rule inet edgecase_lab input tcp dport {origin_port} "
                      "reject with icmp type host-prohibited'",
             .teardown = kDeleteTable,
             .side = Side::origin},
    Scenario{.name = "connect.rejected-ipv6",
             .cause = Cause::connect_rejected,
             .status = 521,
             .description = "A firewall rejects the SYN with ICMPv6 port-unreachable (1/4).",
             .target = Target::network,
             .host = "{origin_ip6}",
             .setup = "sysctl -qw net.ipv6.icmp.ratelimit=0; "
                      "nft 'add table inet edgecase_lab; "
                      "add chain inet edgecase_lab input { type filter hook input priority 0; }; "
                      "add rule inet edgecase_lab input tcp dport {origin_port} "
                      "reject with icmpv6 type port-unreachable'",
             .teardown = kDeleteTable,
             .side = Side::origin},
    Scenario{.name = "connect.unroutable-ipv6",
             .cause = Cause::connect_unroutable,
             .status = 523,
             .description = "The SYN is answered with ICMPv6 no-route (1/0).",
             .target = Target::network,
             .host = "{origin_ip6}",
             .setup = "sysctl -qw net.ipv6.icmp.ratelimit=0; "
                      "nft 'add table inet edgecase_lab; "
                      "add chain inet edgecase_lab input { type filter hook input priority 0; }; "
                      "add rule inet edgecase_lab input tcp dport {origin_port} "
                      "reject with icmpv6 type no-route'",
             .teardown = kDeleteTable,
             .side = Side::origin},
    Scenario{.name = "connect.host_unreachable-ipv6",
             .cause = Cause::connect_host_unreachable,
             .status = 523,
             .description = "The SYN is answered with ICMPv6 addr-unreachable (1/3).",
             .target = Target::network,
             .host = "{origin_ip6}",
             .setup = "sysctl -qw net.ipv6.icmp.ratelimit=0; "
                      "nft 'add table inet edgecase_lab; "
                      "add chain inet edgecase_lab input { type filter hook input priority 0; }; "
                      "add rule inet edgecase_lab input tcp dport {origin_port} "
                      "reject with icmpv6 type addr-unreachable'",
             .teardown = kDeleteTable,
             .side = Side::origin},
    Scenario{.name = "connect.prohibited-ipv6",
             .cause = Cause::connect_prohibited,
             .status = 523,
             .description = "A firewall rejects the SYN with ICMPv6 admin-prohibited (1/1).",
             .target = Target::network,
             .host = "{origin_ip6}",
             .setup = "sysctl -qw net.ipv6.icmp.ratelimit=0; "
                      "nft 'add table inet edgecase_lab; "
                      "add chain inet edgecase_lab input { type filter hook input priority 0; }; "
                      "add rule inet edgecase_lab input tcp dport {origin_port} "
                      "reject with icmpv6 type admin-prohibited'",
             .teardown = kDeleteTable,
             .side = Side::origin},
    Scenario{.name = "connect.prohibited-ipv6_policy",
             .cause = Cause::connect_prohibited,
             .status = 523,
             .description = "A firewall rejects the SYN with ICMPv6 policy-fail (1/5).",
             .target = Target::network,
             .host = "{origin_ip6}",
             .setup = "sysctl -qw net.ipv6.icmp.ratelimit=0; "
                      "nft 'add table inet edgecase_lab; "
                      "add chain inet edgecase_lab input { type filter hook input priority 0; }; "
                      "add rule inet edgecase_lab input tcp dport {origin_port} "
                      "reject with icmpv6 type policy-fail'",
             .teardown = kDeleteTable,
             .side = Side::origin},
    Scenario{.name = "connect.prohibited-ipv6_reject_route",
             .cause = Cause::connect_prohibited,
             .status = 523,
             .description = "A firewall rejects the SYN with ICMPv6 reject-route (1/6).",
             .target = Target::network,
             .host = "{origin_ip6}",
             .setup = "sysctl -qw net.ipv6.icmp.ratelimit=0; "
                      "nft 'add table inet edgecase_lab; "
                      "add chain inet edgecase_lab input { type filter hook input priority 0; }; "
                      "add rule inet edgecase_lab input tcp dport {origin_port} "
                      "reject with icmpv6 type reject-route'",
             .teardown = kDeleteTable,
             .side = Side::origin},
    Scenario{.name = "connect.refused-firewall",
             .cause = Cause::connect_refused,
             .status = 521,
             .description = "A firewall rejects the SYN with a TCP reset.",
             .target = Target::network,
             .host = "{origin_ip}",
             .setup = "nft 'add table inet edgecase_lab; "
                      "add chain inet edgecase_lab input { type filter hook input priority 0; }; "
                      "add rule inet edgecase_lab input tcp dport {origin_port} "
                      "reject with tcp reset'",
             .teardown = kDeleteTable,
             .side = Side::origin},
    Scenario{.name = "connect.reset",
             .cause = Cause::connect_reset,
             .status = 521,
             .description =
                 "A firewall lets the SYN through and resets the connection at its first ACK.",
             .target = Target::network,
             .host = "{origin_ip}",
             .setup = "nft 'add table inet edgecase_lab; "
                      "add chain inet edgecase_lab input { type filter hook input priority 0; }; "
                      "add rule inet edgecase_lab input tcp dport {origin_port} "
                      "tcp flags & (syn|ack) == ack reject with tcp reset'",
             .teardown = kDeleteTable,
             .side = Side::origin},
    Scenario{.name = "connect.timeout-drop",
             .cause = Cause::connect_timeout,
             .status = 522,
             .description = "A firewall drops every packet to the port.",
             .target = Target::network,
             .host = "{origin_ip}",
             .setup = "nft 'add table inet edgecase_lab; "
                      "add chain inet edgecase_lab input { type filter hook input priority 0; }; "
                      "add rule inet edgecase_lab input tcp dport {origin_port} drop'",
             .teardown = kDeleteTable,
             .side = Side::origin},
    Scenario{.name = "connect.timeout-some_sources",
             .cause = Cause::connect_timeout,
             .status = 522,
             .description = "A firewall drops the packets of this edge and lets others through.",
             .target = Target::network,
             .host = "{origin_ip}",
             .setup = "nft 'add table inet edgecase_lab; "
                      "add chain inet edgecase_lab input { type filter hook input priority 0; }; "
                      "add rule inet edgecase_lab input ip saddr {edge_ip} "
                      "tcp dport {origin_port} drop'",
             .teardown = kDeleteTable,
             .side = Side::origin},
    Scenario{.name = "connect.timeout-ipv6",
             .cause = Cause::connect_timeout,
             .status = 522,
             .description = "A firewall drops every IPv6 packet to the port.",
             .target = Target::network,
             .host = "{origin_ip6}",
             .setup = "nft 'add table inet edgecase_lab; "
                      "add chain inet edgecase_lab input { type filter hook input priority 0; }; "
                      "add rule inet edgecase_lab input "
                      "meta nfproto ipv6 tcp dport {origin_port} drop'",
             .teardown = kDeleteTable,
             .side = Side::origin},
    Scenario{.name = "request.not_acked",
             .cause = Cause::request_not_acked,
             .status = 522,
             .description =
                 "A firewall lets the handshake through and drops the packets with request bytes.",
             .target = Target::network,
             .host = "{origin_ip}",
             .setup = "nft 'add table inet edgecase_lab; "
                      "add chain inet edgecase_lab input { type filter hook input priority 0; }; "
                      "add rule inet edgecase_lab input tcp dport {origin_port} "
                      "meta length > 100 drop'",
             .teardown = kDeleteTable,
             .side = Side::origin},
    Scenario{.name = "request.not_acked-upload",
             .cause = Cause::request_not_acked,
             .status = 522,
             .description = "The same, while a 256 KiB body is sent.",
             .target = Target::network,
             .method = "POST",
             .request_body_bytes = 256ULL * 1024,
             .host = "{origin_ip}",
             .setup = "nft 'add table inet edgecase_lab; "
                      "add chain inet edgecase_lab input { type filter hook input priority 0; }; "
                      "add rule inet edgecase_lab input tcp dport {origin_port} "
                      "meta length > 100 drop'",
             .teardown = kDeleteTable,
             .side = Side::origin},
};

}  // namespace

std::span<const Scenario> connect_firewall() {
    return kScenarios;
}

}  // namespace edgecase::lab::faults
