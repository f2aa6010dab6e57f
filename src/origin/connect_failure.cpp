// The judgement before there is a connection: names and connecting. See origin_failure.hpp.
#include "origin/evidence.hpp"
#include "origin/origin_failure.hpp"

namespace edgecase::origin {
namespace {

using cause::Cause;
using cause::Evidence;
using cause::Failure;

void add_icmp(Evidence& evidence, const net::IcmpError& icmp) {
    evidence.add("icmp_version", icmp.is_v6 ? 6 : 4);
    evidence.add("icmp_type", int{icmp.type});
    evidence.add("icmp_code", int{icmp.code});
    const std::string_view name = net::icmp_name(icmp);
    if (!name.empty()) evidence.add("icmp_name", name);
    if (icmp.offender) evidence.add("icmp_offender", icmp.offender->to_string());
}

Cause cause_of(const net::IcmpError& icmp) {
    if (!icmp.is_v6) {
        switch (icmp.code) {
            case 0:
                return Cause::connect_unroutable;
            case 2:
                return Cause::connect_protocol_unreachable;
            case 3:
                return Cause::connect_rejected;
            case 9:
            case 10:
            case 13:
                return Cause::connect_prohibited;
            default:
                return Cause::connect_host_unreachable;
        }
    }
    switch (icmp.code) {
        case 0:
            return Cause::connect_unroutable;
        case 1:
        case 5:  // RFC 4443 §3.1: 5 and 6 are finer words for 1
        case 6:
            return Cause::connect_prohibited;
        case 4:
            return Cause::connect_rejected;
        default:
            return Cause::connect_host_unreachable;
    }
}

Cause connect_cause(const net::ConnectError& error) {
    // This machine's own answer comes first: it must never be blamed on the origin.
    if (error.at_once) {
        switch (error.error.kind) {
            case net::ErrorKind::address_unavailable:
            case net::ErrorKind::too_many_descriptors:
            case net::ErrorKind::no_buffers:
                return Cause::connect_local_exhausted;
            case net::ErrorKind::net_unreachable:
            case net::ErrorKind::host_unreachable:
            case net::ErrorKind::invalid:  // a blackhole route of this machine
                return Cause::connect_no_route;
            case net::ErrorKind::prohibited:
                return Cause::connect_local_prohibited;
            case net::ErrorKind::refused:
                return Cause::connect_refused;
            case net::ErrorKind::deadline:
            case net::ErrorKind::cancelled:
            case net::ErrorKind::reset:
            case net::ErrorKind::broken_pipe:
            case net::ErrorKind::timed_out:
            case net::ErrorKind::protocol_unreachable:
            case net::ErrorKind::address_in_use:
            case net::ErrorKind::layer:
            case net::ErrorKind::other:
                return Cause::edge_internal;
        }
    }
    if (error.icmp) {
        if (!error.offender_is_local) return cause_of(*error.icmp);
        const bool unreachable = error.icmp->is_v6 ? error.icmp->code == 3 : error.icmp->code == 1;
        return unreachable ? Cause::connect_no_neighbour : Cause::connect_local_prohibited;
    }
    switch (error.error.kind) {
        case net::ErrorKind::refused:
            return Cause::connect_refused;
        case net::ErrorKind::reset:
            return error.facts && error.facts->handshake_completed() ? Cause::connect_reset
                                                                     : Cause::connect_refused;
        case net::ErrorKind::broken_pipe:
            return Cause::connect_reset;
        case net::ErrorKind::deadline:
        case net::ErrorKind::timed_out:
            return Cause::connect_timeout;
        case net::ErrorKind::net_unreachable:
            return Cause::connect_unroutable;
        case net::ErrorKind::host_unreachable:
            // No ICMP message: the kernel itself found no neighbour to send to.
            return Cause::connect_no_neighbour;
        case net::ErrorKind::protocol_unreachable:
            return Cause::connect_protocol_unreachable;
        case net::ErrorKind::prohibited:
            return Cause::connect_prohibited;
        case net::ErrorKind::address_unavailable:
        case net::ErrorKind::too_many_descriptors:
        case net::ErrorKind::no_buffers:
            return Cause::connect_local_exhausted;
        case net::ErrorKind::cancelled:
        case net::ErrorKind::address_in_use:
        case net::ErrorKind::layer:
        case net::ErrorKind::invalid:
        case net::ErrorKind::other:
            return Cause::edge_internal;
    }
    return Cause::edge_internal;
}

}  // namespace

Failure dns_failure(const net::DnsError& error, std::string_view name, base::Duration elapsed) {
    Evidence evidence;
    evidence.add("name", name);
    if (!error.server.empty()) evidence.add("resolver", error.server);
    evidence.add("answer", error.detail);
    evidence.add("elapsed_ms", base::milliseconds(elapsed));
    switch (error.kind) {
        case net::DnsErrorKind::nxdomain:
            return {Cause::dns_nxdomain, std::move(evidence)};
        case net::DnsErrorKind::servfail:
            return {Cause::dns_servfail, std::move(evidence)};
        case net::DnsErrorKind::refused:
            return {Cause::dns_refused, std::move(evidence)};
        case net::DnsErrorKind::nodata:
            return {Cause::dns_nodata, std::move(evidence)};
        case net::DnsErrorKind::timeout:
            return {Cause::dns_timeout, std::move(evidence)};
        case net::DnsErrorKind::unreachable:
            return {Cause::dns_resolver_unreachable, std::move(evidence)};
        case net::DnsErrorKind::malformed:
            return {Cause::dns_malformed, std::move(evidence)};
        case net::DnsErrorKind::other:
            break;
    }
    return {Cause::edge_internal, std::move(evidence)};
}

Failure address_prohibited(std::string_view name, const ip::Address& address) {
    Evidence evidence;
    evidence.add("name", name);
    evidence.add("address", address.to_string());
    return {Cause::dns_address_prohibited, std::move(evidence)};
}

Failure connect_failure(const net::ConnectError& error, const ip::Endpoint& to,
                        std::chrono::milliseconds limit) {
    Evidence evidence;
    evidence.add("origin", to.to_string());
    if (error.local.port != 0) evidence.add("edge_address", error.local.to_string());
    evidence.add("elapsed_ms", base::milliseconds(error.elapsed));
    if (error.error.kind == net::ErrorKind::deadline) evidence.add("limit_ms", limit.count());
    if (error.error.number != 0) evidence.add("errno", error.error.name());
    evidence.add("from_this_machine", error.at_once || error.offender_is_local);
    if (error.icmp) add_icmp(evidence, *error.icmp);
    if (error.facts) {
        evidence.add("syn_ack_seen", error.facts->handshake_completed());
        add_tcp(evidence, *error.facts);
    }
    return {connect_cause(error), std::move(evidence)};
}

bool lacks_source(const net::ConnectError& error) {
    // The same error of connect(), which takes time, says that the source's ports are used up.
    return error.at_once && error.error.kind == net::ErrorKind::address_unavailable &&
           error.elapsed == base::Duration::zero();
}

Failure egress_unavailable(const ip::Endpoint& to, std::vector<std::string> missing) {
    Evidence evidence;
    evidence.add("origin", to.to_string());
    evidence.add("missing_egress", std::move(missing));
    return {Cause::edge_egress_unavailable, std::move(evidence)};
}

Failure connection_limit(size_t open, size_t limit) {
    Evidence evidence;
    evidence.add("open_connections", uint64_t{open});
    evidence.add("limit", uint64_t{limit});
    return {Cause::connect_limit, std::move(evidence)};
}

}  // namespace edgecase::origin
