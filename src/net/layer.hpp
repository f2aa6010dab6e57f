// Owns the seam below a stream: what turns its bytes into those of a socket (TLS), or of one stream
// among many (HTTP/2).
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <span>
#include <string>

#include "net/error.hpp"

namespace edgecase::net {

/// A stream without a layer reads and writes its socket. Non-blocking: whoever waits, waits for the
/// descriptor's flags, which the layer keeps true.
class Layer {
  public:
    struct Result {
        enum class Kind : uint8_t { done, blocked, failed };
        Kind kind = Kind::done;
        size_t bytes = 0;  // read: 0 is the end (FIN)
        Error error{ErrorKind::other};

        static Result done(size_t bytes) { return {Kind::done, bytes}; }
        static Result blocked() { return {Kind::blocked}; }
        static Result failed(Error error) { return {Kind::failed, 0, error}; }
    };

    /// What the layer knows of an ErrorKind::layer.
    struct Broken {
        int alert = -1;      // TLS alert number, received or sent
        std::string detail;  // in words
    };

    virtual ~Layer() = default;
    /// Errors: the socket's, and ErrorKind::layer, about which the layer can tell more.
    virtual Result read(std::span<char> into) = 0;
    /// Takes some of `parts`. After `blocked` the next call must begin with the same bytes.
    virtual Result write(std::span<const iovec> parts) = 0;
    /// Whether read() has something to give although the descriptor is not readable.
    virtual bool has_buffered() const = 0;
    /// Whether read() would give bytes, the end or an error now; takes nothing.
    virtual bool has_unread() = 0;
    /// No more writes: tells the other side, as far as that goes without waiting.
    virtual void shutdown_write() = 0;
    virtual Broken broken() const { return {}; }
    /// Whether an end that read() gave was said to be one, and not just the socket's.
    virtual bool ended_properly() const { return true; }
    /// The stream ends. `abort`: the other side must not take it for a clean end.
    virtual void close(bool abort) = 0;
};

}  // namespace edgecase::net
