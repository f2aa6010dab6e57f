// Owns a listening socket.
#pragma once

#include <expected>
#include <utility>

#include "ip/endpoint.hpp"
#include "net/error.hpp"
#include "net/loop.hpp"
#include "net/stream.hpp"

namespace edgecase::net {

struct Accepted {
    Stream stream;
    ip::Endpoint client;
};

class AcceptOperation : public Operation<AcceptOperation, std::expected<Accepted, Error>> {
  public:
    static constexpr bool kReads = true;
    AcceptOperation(Descriptor& descriptor, base::Deadline deadline)
        : Operation(descriptor, deadline) {}
    bool try_once();
};

class Listener {
  public:
    /// `shared`: several listeners of this process take turns on the port (SO_REUSEPORT).
    /// Errors: address_in_use, address_unavailable, prohibited, other.
    static std::expected<Listener, Error> listen(Loop& loop, ip::Endpoint at, bool shared);
    /// The same socket, and so the same queue of connections, on another loop. From any thread
    /// while the original is open. Errors: too_many_descriptors, other.
    static std::expected<Listener, Error> share(Loop& loop, int fd);
    Listener(Listener&& other) noexcept : descriptor_(std::exchange(other.descriptor_, nullptr)) {}
    Listener& operator=(Listener&&) = delete;
    ~Listener() { close(); }

    /// The next connection, with TCP_NODELAY. Errors: deadline, too_many_descriptors, no_buffers,
    /// other; all of them transient.
    AcceptOperation accept(base::Deadline deadline) { return {*descriptor_, deadline}; }
    /// Completes a pending accept with ErrorKind::cancelled.
    void cancel_accept() { descriptor_->cancel_read(); }
    /// With the real port if 0 was asked for.
    ip::Endpoint local() const;
    void close();
    int fd() const { return descriptor_->fd(); }

  private:
    explicit Listener(Descriptor* descriptor) : descriptor_(descriptor) {}
    Descriptor* descriptor_;
};

}  // namespace edgecase::net
