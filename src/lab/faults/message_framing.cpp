// The headers contradict each other about where the body ends.
#include <array>

#include "lab/faults/faults.hpp"

namespace edgecase::lab::faults {
namespace {

using cause::Cause;

constexpr std::array kScenarios{
    Scenario{.name = "resp.conflicting_length",
             .cause = Cause::resp_conflicting_length,
             .description = "Sends two Content-Length lines that differ.",
             .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"},
    Scenario{.name = "resp.conflicting_length-list",
             .cause = Cause::resp_conflicting_length,
             .description = "Sends two different lengths in one Content-Length line.",
             .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello"},
    Scenario{.name = "resp.duplicate_length",
             .cause = Cause::resp_duplicate_length,
             .description = "Sends the same Content-Length line twice.",
             .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello"},
    Scenario{.name = "resp.bad_length",
             .cause = Cause::resp_bad_length,
             .description = "Content-Length is abc.",
             .bytes = "HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\nhello"},
    Scenario{.name = "resp.bad_length-negative",
             .cause = Cause::resp_bad_length,
             .description = "Content-Length is -5.",
             .bytes = "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello"},
    Scenario{.name = "resp.bad_length-plus",
             .cause = Cause::resp_bad_length,
             .description = "Content-Length is +5.",
             .bytes = "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello"},
    Scenario{.name = "resp.bad_length-overflow",
             .cause = Cause::resp_bad_length,
             .description = "Content-Length is larger than 64 bits hold.",
             .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551621\r\n\r\nhello"},
    Scenario{.name = "resp.cl_and_te",
             .cause = Cause::resp_cl_and_te,
             .description = "Sends both Content-Length and Transfer-Encoding.",
             .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "5\r\nhello\r\n0\r\n\r\n"},
    Scenario{.name = "resp.bad_te",
             .cause = Cause::resp_bad_te,
             .description = "Transfer-Encoding is foo.",
             .bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: foo\r\n\r\nhello"},
    Scenario{.name = "resp.bad_te-gzip",
             .cause = Cause::resp_bad_te,
             .description = "Transfer-Encoding is gzip, chunked.",
             .bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
                      "5\r\nhello\r\n0\r\n\r\n"},
    Scenario{.name = "resp.te_not_final",
             .cause = Cause::resp_te_not_final,
             .description = "Transfer-Encoding is chunked, chunked.",
             .bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n"
                      "5\r\nhello\r\n0\r\n\r\n"},
    Scenario{.name = "resp.te_not_final-two_lines",
             .cause = Cause::resp_te_not_final,
             .description = "Sends the line Transfer-Encoding: chunked twice.",
             .bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                      "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"},
    Scenario{.name = "resp.te_in_http10",
             .cause = Cause::resp_te_in_http10,
             .description = "An HTTP/1.0 response is chunked.",
             .bytes = "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "5\r\nhello\r\n0\r\n\r\n"},
};

}  // namespace

std::span<const Scenario> message_framing() {
    return kScenarios;
}

}  // namespace edgecase::lab::faults
