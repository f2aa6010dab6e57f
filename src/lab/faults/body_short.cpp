// The body ends before its Content-Length, or is cut off where only its end would delimit it.
#include <array>

#include "lab/exchange.hpp"
#include "lab/faults/faults.hpp"

namespace edgecase::lab::faults {
namespace {

using cause::Cause;
using namespace std::chrono_literals;

constexpr std::string_view kSmallPart =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\n"
    "A hundred bytes were promised ten times over, and the origin stopped here.";

bool send_large_part(Exchange& exchange, std::string_view head) {
    return exchange.read_body() && exchange.send(head) && exchange.send_filler(262'144);
}

constexpr std::string_view kLargeHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1048576\r\n\r\n";
constexpr std::string_view kOpenHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n";

void serve_large_fin(Exchange& exchange) {
    if (send_large_part(exchange, kLargeHead)) exchange.finish();
}

void serve_large_rst(Exchange& exchange) {
    if (send_large_part(exchange, kLargeHead)) exchange.reset();
}

void serve_large_open_rst(Exchange& exchange) {
    if (send_large_part(exchange, kOpenHead)) exchange.reset();
}

void serve_script_timeout(Exchange& exchange) {
    if (exchange.read_body() && exchange.send(kSmallPart) && exchange.pause(1s)) exchange.finish();
}

constexpr std::array kScenarios{
    Scenario{.name = "body.short_fin",
             .cause = Cause::body_short_fin,
             .description = "Sends 74 of 1000 bytes, then FIN.",
             .bytes = kSmallPart},
    Scenario{.name = "body.short_fin-no_body",
             .cause = Cause::body_short_fin,
             .description = "Sends headers that promise 500 bytes, then FIN.",
             .bytes = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 500\r\n\r\n"},
    Scenario{.name = "body.short_fin-large",
             .cause = Cause::body_short_fin,
             .status = 200,
             .aborts_client = true,
             .description = "Sends 256 KiB of 1 MiB, then FIN.",
             .serve = serve_large_fin},
    Scenario{.name = "body.short_fin-script_timeout",
             .cause = Cause::body_short_fin,
             .status = 200,
             .aborts_client = true,
             .description = "Sends headers and 74 of 1000 bytes, and FIN a second later.",
             .serve = serve_script_timeout},
    Scenario{.name = "body.short_rst",
             .cause = Cause::body_short_rst,
             .description = "Sends 74 of 1000 bytes, then RST.",
             .bytes = kSmallPart,
             .ending = Ending::rst},
    Scenario{.name = "body.short_rst-large",
             .cause = Cause::body_short_rst,
             .status = 200,
             .aborts_client = true,
             .description = "Sends 256 KiB of 1 MiB, then RST.",
             .serve = serve_large_rst},
    Scenario{.name = "body.close_delimited_rst",
             .cause = Cause::body_close_delimited_rst,
             .description = "Sends part of a body without length, then RST.",
             .bytes = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
                      "The end of the connection should have ended this",
             .ending = Ending::rst},
    Scenario{.name = "body.close_delimited_rst-large",
             .cause = Cause::body_close_delimited_rst,
             .status = 200,
             .aborts_client = true,
             .description = "Sends 256 KiB of a body without length, then RST.",
             .serve = serve_large_open_rst},
};

}  // namespace

std::span<const Scenario> body_short() {
    return kScenarios;
}

}  // namespace edgecase::lab::faults
