// Owns the judgement on the client's side: what was seen on the wire -> which cause, with evidence.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "cause/failure.hpp"
#include "h1/body_decoder.hpp"
#include "h1/rule.hpp"
#include "mux/connection.hpp"
#include "net/error.hpp"
#include "tls/handshake.hpp"

namespace edgecase::edge {

/// What the client was doing when it left.
enum class ClientPhase : uint8_t { sending_body, waiting, receiving };

/// The request head broke a rule.
cause::Failure bad_request_head(const h1::ParseError& error);
/// The request body broke a rule.
cause::Failure bad_request_body(const h1::ParseError& error, uint64_t body_bytes);
/// The client closed or reset its connection. `error` is null for FIN.
cause::Failure client_left(ClientPhase phase, const net::Error* error, uint64_t request_body_bytes,
                           uint64_t response_bytes);
cause::Failure client_head_timeout(uint64_t bytes, std::chrono::milliseconds limit);
cause::Failure client_body_timeout(uint64_t body_bytes, std::chrono::milliseconds limit);
cause::Failure client_slow_reader(uint64_t response_bytes, std::chrono::milliseconds limit);
cause::Failure request_body_too_large(uint64_t bytes, uint64_t limit);
/// TLS with the client did not come about.
cause::Failure client_handshake_failure(const tls::HandshakeError& error,
                                        std::chrono::milliseconds limit);
/// The client broke a rule of HTTP/2, on its connection or with one message.
cause::Failure client_http2_failure(const mux::Trouble& trouble);
/// What became of one stream before its request began. Null: nothing that concerns it alone (its
/// connection has a record of its own), or the edge refused it.
std::optional<cause::Failure> lost_stream(const mux::Trouble& trouble);
/// Whether one request was malformed, and only that.
bool is_bad_message(const h2::Fault& fault);
/// A target form or method this edge does not serve (CONNECT).
cause::Failure unserved_target(std::string_view method, std::string_view target);

}  // namespace edgecase::edge
