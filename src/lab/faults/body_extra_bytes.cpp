// Bytes follow the end of a response; they must never become the next one.
#include <array>

#include "lab/faults/faults.hpp"

namespace edgecase::lab::faults {
namespace {

using cause::Cause;

constexpr std::array kScenarios{
    Scenario{.name = "body.extra_bytes",
             .cause = Cause::body_extra_bytes,
             .status = 200,
             .description = "A second response nobody asked for follows in the same segment.",
             .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
                      "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen"},
    Scenario{.name = "body.extra_bytes-length",
             .cause = Cause::body_extra_bytes,
             .status = 200,
             .description = "The body is longer than its Content-Length.",
             .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello, world"},
    Scenario{.name = "body.extra_bytes-chunked",
             .cause = Cause::body_extra_bytes,
             .status = 200,
             .description = "Bytes follow the last chunk.",
             .bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "5\r\nhello\r\n0\r\n\r\nextra"},
    Scenario{.name = "body.extra_bytes-head",
             .cause = Cause::body_extra_bytes,
             .status = 200,
             .description = "Sends a body in answer to HEAD.",
             .method = "HEAD",
             .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"},
    Scenario{.name = "body.extra_bytes-204",
             .cause = Cause::body_extra_bytes,
             .status = 204,
             .description = "Sends a body with 204.",
             .bytes = "HTTP/1.1 204 No Content\r\n\r\nhello"},
    Scenario{.name = "body.extra_bytes-304",
             .cause = Cause::body_extra_bytes,
             .status = 304,
             .description = "Sends a body with 304.",
             .bytes = "HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\nhello"},
};

}  // namespace

std::span<const Scenario> body_extra_bytes() {
    return kScenarios;
}

}  // namespace edgecase::lab::faults
