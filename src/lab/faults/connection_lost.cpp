// The origin's machine falls silent in the middle of an exchange: no FIN, no RST, no probe
// answered.
#include <array>

#include "lab/faults/faults.hpp"

namespace edgecase::lab::faults {
namespace {

using cause::Cause;

// Packets without SYN, FIN, RST or PSH are bare ACKs: keep-alive probes, and the answers to them.
// Dropped on their way in, they leave the request's own packet, which completes the handshake.
constexpr std::string_view kDropProbes =
    "nft 'add table inet edgecase_lab; "
    "add chain inet edgecase_lab input { type filter hook input priority 0; }; "
    "add rule inet edgecase_lab input tcp dport {origin_port} "
    "tcp flags & (fin|syn|rst|psh) == 0 drop'";
// Here the acknowledgement of the response must pass, or it is sent again, which the edge's kernel
// takes for a sign of life: so the answers are dropped. The response itself acknowledges the
// request.
constexpr std::string_view kDropAnswersToProbes =
    "nft 'add table inet edgecase_lab; "
    "add chain inet edgecase_lab output { type filter hook output priority 0; }; "
    "add rule inet edgecase_lab output tcp sport {origin_port} "
    "tcp flags & (fin|syn|rst|psh) == 0 drop'";
constexpr std::string_view kDeleteTable = "nft delete table inet edgecase_lab";

// The probes must give up before the read timeout does.
constexpr std::string_view kQuickProbes = "timeouts.keep_alive = \"1s\"\ntimeouts.read = \"20s\"\n";

constexpr std::array kScenarios{
    Scenario{.name = "resp.connection_lost",
             .cause = Cause::resp_connection_lost,
             .description = "Acknowledges the request, then answers no keep-alive probe.",
             .target = Target::network,
             .path = "/time.first_byte",
             .host = "{origin_ip}",
             .setup = kDropProbes,
             .teardown = kDeleteTable,
             .side = Side::origin,
             .edge_config = kQuickProbes},
    Scenario{.name = "body.connection_lost",
             .cause = Cause::body_connection_lost,
             .status = 200,
             .aborts_client = true,
             .description = "Sends headers, then answers no keep-alive probe.",
             .target = Target::network,
             .path = "/time.body_idle",
             .host = "{origin_ip}",
             .setup = kDropAnswersToProbes,
             .teardown = kDeleteTable,
             .side = Side::origin,
             .edge_config = kQuickProbes},
};

}  // namespace

std::span<const Scenario> connection_lost() {
    return kScenarios;
}

}  // namespace edgecase::lab::faults
