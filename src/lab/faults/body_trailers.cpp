// The trailer section behind a chunked body is broken.
#include <array>
#include <string>

#include "lab/exchange.hpp"
#include "lab/faults/faults.hpp"

namespace edgecase::lab::faults {
namespace {

using cause::Cause;

void serve_too_large(Exchange& exchange) {
    if (!exchange.read_body()) return;
    exchange.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n");
    for (int i = 10; i < 50; ++i) {
        exchange.send("X-Trailer-" + std::to_string(i) + ": " + std::string(1000, 't') + "\r\n");
    }
    exchange.send("\r\n");
    exchange.finish();
}

constexpr std::array kScenarios{
    Scenario{.name = "body.bad_trailer",
             .cause = Cause::body_bad_trailer,
             .description = "A trailer line has no colon.",
             .bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "5\r\nhello\r\n0\r\nNoColonHere\r\n\r\n"},
    Scenario{.name = "body.bad_trailer-space",
             .cause = Cause::body_bad_trailer,
             .description = "A space stands before a trailer's colon.",
             .bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "5\r\nhello\r\n0\r\nX-Sum : 1\r\n\r\n"},
    Scenario{.name = "body.trailers_too_large",
             .cause = Cause::body_trailers_too_large,
             .description = "Sends 40 KB of trailers.",
             .serve = serve_too_large},
};

}  // namespace

std::span<const Scenario> body_trailers() {
    return kScenarios;
}

}  // namespace edgecase::lab::faults
