// Interim responses (1xx) that lead nowhere.
#include <array>

#include "lab/exchange.hpp"
#include "lab/faults/faults.hpp"

namespace edgecase::lab::faults {
namespace {

using cause::Cause;

void serve_forty(Exchange& exchange) {
    if (!exchange.read_body()) return;
    for (int i = 0; i < 40; ++i) {
        if (!exchange.send("HTTP/1.1 102 Processing\r\n\r\n")) return;
    }
    exchange.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello");
    exchange.finish();
}

constexpr std::array kScenarios{
    Scenario{.name = "resp.only_1xx",
             .cause = Cause::resp_only_1xx,
             .description = "Sends 103 Early Hints, then FIN.",
             .bytes = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"},
    Scenario{.name = "resp.only_1xx-100",
             .cause = Cause::resp_only_1xx,
             .description = "Sends 100 Continue, then FIN.",
             .bytes = "HTTP/1.1 100 Continue\r\n\r\n"},
    Scenario{.name = "resp.reset_after_1xx",
             .cause = Cause::resp_reset_after_1xx,
             .description = "Sends 103 Early Hints, then RST.",
             .bytes = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n",
             .ending = Ending::rst},
    Scenario{.name = "resp.too_many_1xx",
             .cause = Cause::resp_too_many_1xx,
             .description = "Sends 102 Processing forty times before the final response.",
             .serve = serve_forty},
    Scenario{.name = "resp.unexpected_101",
             .cause = Cause::resp_unexpected_101,
             .description = "Switches protocols though the request asked for none.",
             .bytes = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                      "Upgrade: websocket\r\n\r\n"},
    Scenario{.name = "resp.wrong_upgrade",
             .cause = Cause::resp_wrong_upgrade,
             .description = "Switches to h2c though the request asked for websocket.",
             .request_headers = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                                "Sec-WebSocket-Version: 13\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
             .bytes = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                      "Upgrade: h2c\r\n\r\n"},
};

}  // namespace

std::span<const Scenario> interim_responses() {
    return kScenarios;
}

}  // namespace edgecase::lab::faults
