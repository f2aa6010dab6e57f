// The connection is not made, on ports that need no firewall.
#include <array>

#include "lab/faults/faults.hpp"

namespace edgecase::lab::faults {
namespace {

using cause::Cause;

constexpr std::array kScenarios{
    Scenario{.name = "connect.refused",
             .cause = Cause::connect_refused,
             .status = 521,
             .description = "Nothing listens on the port: the SYN is answered with RST.",
             .target = Target::closed},
    Scenario{.name = "connect.timeout",
             .cause = Cause::connect_timeout,
             .status = 522,
             .description = "The accept queue is full: SYNs are dropped.",
             .target = Target::full_queue},
};

}  // namespace

std::span<const Scenario> connect_ports() {
    return kScenarios;
}

}  // namespace edgecase::lab::faults
