// Owns the TLS handshake over a stream, of either role.
#pragma once

#include <expected>
#include <string>

#include "base/deadline.hpp"
#include "net/stream.hpp"
#include "net/task.hpp"
#include "tls/client_context.hpp"
#include "tls/handshake_error.hpp"
#include "tls/server_context.hpp"
#include "tls/tls_layer.hpp"

namespace edgecase::tls {

/// Makes `stream` speak TLS as client, and judges the origin's certificate before a byte can be
/// written. `name`: the SNI and whom the certificate must be for; an IP literal is sent as no SNI
/// and wanted as IP SAN. `session_key`: connections with one key and name resume each other's
/// sessions. `offer_h2`: besides http/1.1, if the context allows it.
/// Errors: see HandshakeFault; the stream is then of no use.
net::Task<std::expected<HandshakeFacts, HandshakeError>> connect(
    net::Stream& stream, ClientContext& context, std::string name, std::string session_key,
    bool offer_h2, base::Deadline deadline);

/// The same as server. Errors: peer_plaintext leaves a plain stream whose first bytes, those in
/// HandshakeError::first_bytes and what came with them, have been taken.
net::Task<std::expected<HandshakeFacts, HandshakeError>> accept(net::Stream& stream,
                                                                ServerContext& context,
                                                                base::Deadline deadline);

/// Goes through the handshake of the TlsLayer that the stream has.
net::Task<std::expected<HandshakeFacts, HandshakeError>> shake_hands(net::Stream& stream,
                                                                     base::Deadline deadline);

/// Why the layer failed after the handshake (net::ErrorKind::layer); null if it did not, or if it
/// is no TLS layer.
const LayerFault* fault(const net::Stream& stream);

}  // namespace edgecase::tls
