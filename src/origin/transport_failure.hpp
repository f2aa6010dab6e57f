// Owns the judgement on what lies between TCP and the message: TLS and HTTP/2 -> cause, evidence.
#pragma once

#include <chrono>

#include "cause/failure.hpp"
#include "ip/endpoint.hpp"
#include "origin/origin_failure.hpp"
#include "tls/handshake.hpp"

namespace edgecase::origin {

/// The handshake did not come to a good end, or the certificate is not to be trusted.
cause::Failure handshake_failure(const tls::HandshakeError& error, const ip::Endpoint& to,
                                 std::chrono::milliseconds limit);

/// A read or write of the attempt's stream failed below the message (net::ErrorKind::layer).
cause::Failure transport_failure(const AttemptView& attempt);
/// How the connection below ended then; open if only the stream did.
record::Close transport_close(const AttemptView& attempt);

}  // namespace edgecase::origin
