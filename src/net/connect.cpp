#include "net/connect.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "net/socket_address.hpp"

namespace edgecase::net {
namespace {

ConnectError local_error(int number, base::Duration elapsed) {
    ConnectError error{Error::of(number)};
    error.at_once = true;
    error.elapsed = elapsed;
    return error;
}

}  // namespace

Task<std::expected<Stream, ConnectError>> connect(Loop& loop, ip::Endpoint to,
                                                  ConnectOptions options, base::Deadline deadline) {
    const base::SteadyTime start = loop.clock().now();
    const SocketAddress address(to);
    const int fd =
        ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (fd < 0) co_return std::unexpected(local_error(errno, base::Duration::zero()));
    const int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    // Without it IPv6 keeps no ICMP message for us (IPv4 does); off again once connected, because
    // there it would turn a router's passing complaint into the connection's end.
    if (!to.address.is_v4()) setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &one, sizeof one);
    if (options.source) {
        setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
        const SocketAddress source(ip::Endpoint{*options.source, 0});
        if (::bind(fd, source.get(), source.size()) != 0) {
            const int number = errno;
            ::close(fd);
            co_return std::unexpected(local_error(number, base::Duration::zero()));
        }
    }
    if (::connect(fd, address.get(), address.size()) != 0 && errno != EINPROGRESS) {
        const int number = errno;
        ::close(fd);
        co_return std::unexpected(local_error(number, loop.clock().now() - start));
    }
    Descriptor* const descriptor = Descriptor::watch(loop, fd);
    if (descriptor == nullptr) {
        co_return std::unexpected(local_error(ENOMEM, loop.clock().now() - start));
    }
    Stream stream(descriptor);
    const std::expected<void, Error> ready = co_await WritableOperation(*descriptor, deadline);
    int number = 0;
    socklen_t size = sizeof number;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &size);
    // A loop that was busy may hear of the SYN-ACK after the deadline; what stands is no timeout.
    const auto facts = ready ? std::nullopt : tcp_facts(fd);
    const bool established = ready || (facts && facts->state == "ESTAB");
    if (established && number == 0) {
        descriptor->writable = true;
        const int off = 0;
        if (!to.address.is_v4()) setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &off, sizeof off);
        co_return stream;
    }

    ConnectError error{ready ? Error::of(number) : ready.error()};
    if (number != 0) error.error = Error::of(number);
    error.icmp = take_icmp_error(fd);
    error.facts = facts ? facts : tcp_facts(fd);
    error.local = stream.local();
    error.elapsed = loop.clock().now() - start;
    // An ICMP message "from" our own address is our own machine's word, not the origin's.
    error.offender_is_local = error.icmp && error.icmp->offender &&
                              *error.icmp->offender == error.local.address &&
                              !(error.local.address == to.address);
    co_return std::unexpected(error);
}

}  // namespace edgecase::net
