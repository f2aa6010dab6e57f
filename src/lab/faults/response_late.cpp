// The origin does not send its response head in time.
#include <array>

#include "lab/exchange.hpp"
#include "lab/faults/faults.hpp"

namespace edgecase::lab::faults {
namespace {

using cause::Cause;
using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kDripInterval{200};

void serve_nothing(Exchange& exchange) {
    if (exchange.read_body()) exchange.hang();
}

void serve_drip(Exchange& exchange) {
    if (!exchange.read_body()) return;
    const auto until = steady_clock::now() + kPatience;
    if (!exchange.send("HTTP/1.1 200 OK\r\nX-Drip: ")) return;
    while (steady_clock::now() < until && exchange.pause(kDripInterval)) {
        if (!exchange.send("d")) return;
    }
}

constexpr std::array kScenarios{
    Scenario{.name = "time.first_byte",
             .cause = Cause::time_first_byte,
             .status = 524,
             .description = "Reads the request and never answers.",
             .serve = serve_nothing},
    Scenario{.name = "time.headers_slow",
             .cause = Cause::time_headers_slow,
             .status = 524,
             .description = "Sends one header byte every 200 ms and never ends the headers.",
             .serve = serve_drip},
    Scenario{.name = "time.headers_slow-stalled",
             .cause = Cause::time_headers_slow,
             .status = 524,
             .description = "Begins its headers and then sends nothing more.",
             .bytes = "HTTP/1.1 200 OK\r\nContent-Type: text/ht",
             .ending = Ending::hang},
    Scenario{.name = "time.between_responses",
             .cause = Cause::time_between_responses,
             .status = 524,
             .description = "Sends 103 Early Hints and never the final response.",
             .bytes = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n",
             .ending = Ending::hang},
};

}  // namespace

std::span<const Scenario> response_late() {
    return kScenarios;
}

}  // namespace edgecase::lab::faults
