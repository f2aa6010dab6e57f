// The origin sends its headers and then hangs. By then the edge's 100 ms of hold-back are over.
#include <array>

#include "lab/exchange.hpp"
#include "lab/faults/faults.hpp"

namespace edgecase::lab::faults {
namespace {

using cause::Cause;

void serve_midway(Exchange& exchange) {
    if (!exchange.read_body()) return;
    exchange.send("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1048576\r\n\r\n");
    if (exchange.send_filler(262'144)) exchange.hang();
}

constexpr std::array kScenarios{
    Scenario{.name = "time.body_idle",
             .cause = Cause::time_body_idle,
             .status = 200,
             .aborts_client = true,
             .description = "Sends whole headers and none of its 500-byte body.",
             .bytes = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 500\r\n\r\n",
             .ending = Ending::hang},
    Scenario{.name = "time.body_idle-midway",
             .cause = Cause::time_body_idle,
             .status = 200,
             .aborts_client = true,
             .description = "Sends 256 KiB of a 1 MiB body and then nothing.",
             .serve = serve_midway},
    Scenario{.name = "time.body_idle-chunked",
             .cause = Cause::time_body_idle,
             .status = 200,
             .aborts_client = true,
             .description = "Sends one chunk and then nothing.",
             .bytes = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
                      "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
             .ending = Ending::hang},
};

}  // namespace

std::span<const Scenario> body_idle() {
    return kScenarios;
}

}  // namespace edgecase::lab::faults
