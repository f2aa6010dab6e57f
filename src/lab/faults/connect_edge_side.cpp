// The connection is not made, and the reason is on the edge's side of the network.
#include <array>

#include "lab/faults/faults.hpp"

namespace edgecase::lab::faults {
namespace {

using cause::Cause;

// Three unanswered probes at the default second each would outlast a short connect timeout.
constexpr std::string_view kQuickArp =
    "for f in /proc/sys/net/ipv4/neigh/*/retrans_time_ms; do echo 100 > $f; done";
constexpr std::string_view kUsualArp =
    "for f in /proc/sys/net/ipv4/neigh/*/retrans_time_ms; do echo 1000 > $f; done";

constexpr std::array kScenarios{
    Scenario{.name = "connect.no_neighbour",
             .cause = Cause::connect_no_neighbour,
             .status = 523,
             .description = "Nobody on the edge's own segment answers ARP for the address.",
             .target = Target::network,
             .host = "{unused_ip}",
             .setup = kQuickArp,
             .teardown = kUsualArp,
             .side = Side::edge},
    Scenario{.name = "connect.no_route",
             .cause = Cause::connect_no_route,
             .status = 523,
             .description = "The edge's routing table has no route to the address (ENETUNREACH).",
             .target = Target::network,
             .host = "{origin_ip}",
             .setup = "ip route add throw {origin_ip}/32",
             .teardown = "ip route del throw {origin_ip}/32",
             .side = Side::edge},
    Scenario{.name = "connect.no_route-unreachable",
             .cause = Cause::connect_no_route,
             .status = 523,
             .description = "The edge has an unreachable route to the address (EHOSTUNREACH).",
             .target = Target::network,
             .host = "{origin_ip}",
             .setup = "ip route add unreachable {origin_ip}/32",
             .teardown = "ip route del unreachable {origin_ip}/32",
             .side = Side::edge},
    Scenario{.name = "connect.no_route-blackhole",
             .cause = Cause::connect_no_route,
             .status = 523,
             .description = "The edge has a blackhole route to the address (EINVAL).",
             .target = Target::network,
             .host = "{origin_ip}",
             .setup = "ip route add blackhole {origin_ip}/32",
             .teardown = "ip route del blackhole {origin_ip}/32",
             .side = Side::edge},
    Scenario{.name = "connect.no_route-ipv6",
             .cause = Cause::connect_no_route,
             .status = 523,
             .description = "The edge's routing table has no route to the IPv6 address.",
             .target = Target::network,
             .host = "{origin_ip6}",
             .setup = "ip -6 route add throw {origin_ip6}/128",
             .teardown = "ip -6 route del throw {origin_ip6}/128",
             .side = Side::edge},
    Scenario{.name = "connect.local_prohibited",
             .cause = Cause::connect_local_prohibited,
             .status = 523,
             .description = "The edge has a prohibit route to the address (EACCES, no ICMP).",
             .target = Target::network,
             .host = "{origin_ip}",
             .setup = "ip route add prohibit {origin_ip}/32",
             .teardown = "ip route del prohibit {origin_ip}/32",
             .side = Side::edge},
    Scenario{.name = "connect.local_prohibited-ipv6",
             .cause = Cause::connect_local_prohibited,
             .status = 523,
             .description = "The edge has a prohibit route to the IPv6 address (EACCES, no ICMP).",
             .target = Target::network,
             .host = "{origin_ip6}",
             .setup = "ip -6 route add prohibit {origin_ip6}/128",
             .teardown = "ip -6 route del prohibit {origin_ip6}/128",
             .side = Side::edge},
    Scenario{.name = "connect.local_prohibited-output",
             .cause = Cause::connect_local_prohibited,
             .status = 523,
             .description = "The edge's own firewall rejects the SYN: ICMP from its own address.",
             .target = Target::network,
             .host = "{origin_ip}",
             .setup = "sysctl -qw net.ipv4.icmp_ratelimit=0; nft 'add table inet edgecase_lab; "
                      "add chain inet edgecase_lab output { type filter hook output priority 0; }; "
                      "add rule inet edgecase_lab output tcp dport {origin_port} "
                      "reject with icmp type admin-prohibited'",
             .teardown = "nft delete table inet edgecase_lab",
             .side = Side::edge},
    Scenario{.name = "connect.local_exhausted",
             .cause = Cause::connect_local_exhausted,
             .status = 503,
             .description = "The edge's only local port is reserved (EADDRNOTAVAIL).",
             .target = Target::network,
             .host = "{origin_ip}",
             .setup = "sysctl -qw net.ipv4.ip_local_reserved_ports=40000 "
                      "net.ipv4.ip_local_port_range='40000 40000'",
             .teardown = "sysctl -qw net.ipv4.ip_local_reserved_ports= "
                         "net.ipv4.ip_local_port_range='32768 60999'",
             .side = Side::edge},
    Scenario{.name = "connect.limit",
             .cause = Cause::connect_limit,
             .status = 503,
             .description = "The edge may hold one connection to the origin, and it is in use.",
             .target = Target::edge_setting,
             .warmup_path = "/time.first_byte",
             .warmup_in_flight = true,
             .edge_config = "limits.origin_connections = 1\n"},
};

}  // namespace

std::span<const Scenario> connect_edge_side() {
    return kScenarios;
}

}  // namespace edgecase::lab::faults
