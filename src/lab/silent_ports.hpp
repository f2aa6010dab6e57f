// Owns the ports that never answer: closed TCP and UDP ports, and one whose accept queue is full.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "lab/socket.hpp"

namespace edgecase::lab {

/// Bound and not listening: nobody else gets the port, and every SYN is answered with RST.
std::expected<Socket, std::string> closed_tcp_port(const ip::Endpoint& wanted);

/// Bound and connected elsewhere: datagrams from anyone else are answered with ICMP
/// port-unreachable.
std::expected<Socket, std::string> closed_udp_port(const ip::Endpoint& wanted);

/// A listener that nobody accepts from, with connections of the lab's own filling its queue: the
/// kernel drops every further SYN.
class FullQueue {
  public:
    static std::expected<FullQueue, std::string> open(const ip::Endpoint& wanted);
    ip::Endpoint endpoint() const { return local_endpoint(listener_); }

  private:
    Socket listener_;
    std::vector<Socket> fillers_;
};

}  // namespace edgecase::lab
