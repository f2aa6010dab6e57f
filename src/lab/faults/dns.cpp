// The origin's name cannot be resolved; dns_server.cpp answers these names.
#include <array>

#include "lab/faults/faults.hpp"

namespace edgecase::lab::faults {
namespace {

using cause::Cause;

constexpr std::array kScenarios{
    Scenario{.name = "dns.nxdomain",
             .cause = Cause::dns_nxdomain,
             .status = 530,
             .description = "The name server answers NXDOMAIN.",
             .target = Target::dns,
             .host = "nxdomain.lab.test"},
    Scenario{.name = "dns.servfail",
             .cause = Cause::dns_servfail,
             .status = 530,
             .description = "The name server answers SERVFAIL.",
             .target = Target::dns,
             .host = "servfail.lab.test"},
    Scenario{.name = "dns.refused",
             .cause = Cause::dns_refused,
             .status = 530,
             .description = "The name server answers REFUSED.",
             .target = Target::dns,
             .host = "refused.lab.test"},
    Scenario{.name = "dns.nodata",
             .cause = Cause::dns_nodata,
             .status = 530,
             .description = "The name server knows the name and has no address for it.",
             .target = Target::dns,
             .host = "nodata.lab.test"},
    Scenario{.name = "dns.timeout",
             .cause = Cause::dns_timeout,
             .status = 530,
             .description = "The name server never answers.",
             .target = Target::dns,
             .host = "timeout.lab.test"},
    Scenario{.name = "dns.malformed",
             .cause = Cause::dns_malformed,
             .status = 530,
             .description = "The answer's record runs past the end of the datagram.",
             .target = Target::dns,
             .host = "malformed.lab.test"},
    Scenario{.name = "dns.address_prohibited",
             .cause = Cause::dns_address_prohibited,
             .status = 530,
             .description = "The name resolves to 0.0.0.0.",
             .target = Target::dns,
             .host = "prohibited.lab.test"},
    Scenario{.name = "dns.address_prohibited-multicast",
             .cause = Cause::dns_address_prohibited,
             .status = 530,
             .description = "The name resolves to 224.0.0.9.",
             .target = Target::dns,
             .host = "multicast.lab.test"},
    Scenario{.name = "dns.resolver_unreachable",
             .cause = Cause::dns_resolver_unreachable,
             .status = 530,
             .description = "Nothing listens on the resolver's port: ICMP port-unreachable.",
             .target = Target::resolver_down,
             .host = "ok.lab.test"},
};

}  // namespace

std::span<const Scenario> dns() {
    return kScenarios;
}

}  // namespace edgecase::lab::faults
