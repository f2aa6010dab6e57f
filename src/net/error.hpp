// Owns the kinds of socket error this house tells apart; errno stops here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace edgecase::net {

enum class ErrorKind : uint8_t {
    deadline,  // ours passed
    cancelled,
    refused,
    reset,
    broken_pipe,
    timed_out,  // the kernel gave up retransmitting or probing
    net_unreachable,
    host_unreachable,
    protocol_unreachable,
    prohibited,  // EACCES, EPERM
    address_unavailable,
    address_in_use,
    too_many_descriptors,
    no_buffers,
    invalid,
    layer,  // TLS or HTTP/2 broke: the stream's layer knows more
    other,
};

struct Error {
    ErrorKind kind;
    int number = 0;  // errno; 0 when the error is our own

    static Error of(int number);
    /// The errno's symbolic name (`ECONNRESET`), or the kind for our own.
    std::string name() const;
};

std::string_view to_string(ErrorKind kind);

}  // namespace edgecase::net
