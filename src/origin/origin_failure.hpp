// Owns the judgement on the origin's side: what was seen on the wire -> which cause, with evidence.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "cause/failure.hpp"
#include "h1/body_decoder.hpp"
#include "h1/response_head.hpp"
#include "net/connect.hpp"
#include "net/error.hpp"
#include "net/resolver.hpp"
#include "origin/connection.hpp"
#include "record/record.hpp"

namespace edgecase::origin {

/// How a connection stopped giving bytes.
struct Ending {
    enum class Kind : uint8_t { fin, rst, lost };
    Kind kind;
    net::Error error{net::ErrorKind::other};  // for rst and lost

    /// A read's outcome: 0 bytes is FIN, an error is one of the others.
    static Ending fin() { return {Kind::fin}; }
    static Ending of(const net::Error& error);
};

std::string_view to_string(Ending::Kind kind);
record::Close close_of(const Ending& ending);

/// Where the request stood when the attempt failed.
struct Sending {
    bool complete = true;  // head and body are with the kernel
    bool failed = false;   // a write failed: the origin closed or reset under it
    uint64_t body_bytes_sent = 0;
    uint64_t body_bytes_total = 0;  // 0: unknown (chunked)
};

/// What every judgement on an exchange may use; it follows the attempt while it goes on.
struct AttemptView {
    const Connection& connection;
    const Sending& sending;
    const base::Clock& clock;
    const base::SteadyTime& sent_at;    // last request byte handed to the kernel
    const uint64_t& bytes_received;     // in this attempt
    const unsigned& interim_responses;  // 1xx seen
    base::Duration idle_before{};       // of a reused connection
};

/// What every failure of an attempt tells: the connection's history, bytes and time so far.
cause::Evidence history(const AttemptView& attempt);

/// Whether the origin's machine has not confirmed what was sent. Other streams share an HTTP/2
/// connection, and their bytes are always under way: there only TCP sending again counts.
bool lacks_acknowledgement(const Connection& connection);

// Before there is a connection.
cause::Failure dns_failure(const net::DnsError& error, std::string_view name,
                           base::Duration elapsed);
cause::Failure address_prohibited(std::string_view name, const ip::Address& address);
cause::Failure connect_failure(const net::ConnectError& error, const ip::Endpoint& to,
                               std::chrono::milliseconds limit);
cause::Failure connection_limit(size_t open, size_t limit);
/// Whether it failed because this machine does not have the source address that was asked for.
bool lacks_source(const net::ConnectError& error);
cause::Failure egress_unavailable(const ip::Endpoint& to, std::vector<std::string> missing);

// While the request is sent and the response head awaited.
/// A timeout passed. `limit_name` is the setting (`read`, `ack`, `write`, `response_head`).
cause::Failure wait_timeout(const AttemptView& attempt, const h1::ResponseHeadParser& parser,
                            std::string_view limit_name, std::chrono::milliseconds limit);
/// The connection ended before the response head was complete.
cause::Failure head_ended(const AttemptView& attempt, const h1::ResponseHeadParser& parser,
                          std::string_view head_bytes, Ending ending);
/// The head broke a rule.
cause::Failure head_broken(const AttemptView& attempt, const h1::ResponseHeadParser& parser);
cause::Failure too_many_interim(const AttemptView& attempt, unsigned limit);
cause::Failure unexpected_upgrade(const AttemptView& attempt, std::string_view asked,
                                  std::string_view got);

// While the body is read.
cause::Failure body_ended(const AttemptView& attempt, const h1::BodyDecoder& decoder,
                          Ending ending);
cause::Failure body_broken(const AttemptView& attempt, const h1::BodyDecoder& decoder);
cause::Failure body_timeout(const AttemptView& attempt, const h1::BodyDecoder& decoder,
                            std::chrono::milliseconds limit);
/// More bytes than the response has. Not a failure of this response, but of the next.
cause::Failure extra_bytes(const AttemptView& attempt, const h1::BodyDecoder& decoder,
                           std::string_view extra);

/// Whether the attempt that failed so may be made again on a fresh connection.
/// Source: docs/adr/0006-retries.md.
bool may_retry(const cause::Failure& failure, const Connection* connection, uint64_t bytes_received,
               bool body_replayable, bool idempotent);

}  // namespace edgecase::origin
