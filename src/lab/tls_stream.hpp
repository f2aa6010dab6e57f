// Owns the TLS state of one connection: bytes in, bytes out, no socket.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "lab/tls_port.hpp"

struct ssl_st;

namespace edgecase::lab {

class Certificates;

struct FreeSsl {
    void operator()(ssl_ctx_st* context) const;
    void operator()(ssl_st* state) const;
};
using TlsContext = std::unique_ptr<ssl_ctx_st, FreeSsl>;

/// What a port needs to be a TLS server; borrows `port`.
TlsContext tls_context(const TlsPort& port, const Certificates& certificates);

class TlsStream {
  public:
    enum class Handshake : uint8_t { done, wants_input, failed };

    explicit TlsStream(ssl_ctx_st* context);

    Handshake handshake();
    /// Bytes from the client, as they came.
    void feed(std::string_view bytes);
    /// Appends what the client said. False: it said its last (close_notify), or broke TLS.
    bool open(std::string& plain);
    /// `plain` as it must be sent.
    std::string seal(std::string_view plain);
    std::string close_notify();
    /// What must be sent besides: handshake messages, alerts.
    std::string take_output();
    /// The protocol agreed on; empty: none.
    std::string_view alpn() const;

  private:
    std::unique_ptr<ssl_st, FreeSsl> state_;
};

}  // namespace edgecase::lab
