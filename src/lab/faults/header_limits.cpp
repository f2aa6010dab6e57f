// The header section is larger than the edge's default limits: 32 KiB, 16 KiB a line, 256 lines.
#include <array>
#include <string>

#include "lab/exchange.hpp"
#include "lab/faults/faults.hpp"

namespace edgecase::lab::faults {
namespace {

using cause::Cause;

/// `count` lines whose names begin with `name` and end in a number, each with a `size`-byte value.
std::string lines(std::string_view name, std::string_view before, int count, size_t size) {
    std::string text;
    for (int i = 100; i < 100 + count; ++i) {
        text += name;
        text += before.empty() ? "-" + std::to_string(i) + ": "
                               : ": " + std::string(before) + std::to_string(i) + "=";
        text += std::string(size, 'x') + "\r\n";
    }
    return text;
}

void serve_long_status_line(Exchange& exchange) {
    if (!exchange.read_body()) return;
    exchange.send("HTTP/1.1 200 " + std::string(20'000, 'x') +
                  "\r\nContent-Length: 5\r\n\r\nhello");
    exchange.finish();
}

void serve_set_cookie(Exchange& exchange) {
    exchange.answer("200 OK", lines("Set-Cookie", "session_", 40, 1000), "hello");
}

void serve_x_debug(Exchange& exchange) {
    exchange.answer("200 OK", lines("X-Debug", "", 20, 2000), "hello");
}

void serve_link(Exchange& exchange) {
    std::string fields;
    for (int part = 0; part < 4; ++part) {
        fields += "Link: ";
        for (int i = 100; i < 320; ++i) {
            fields += "</assets/module-" + std::to_string(i) + ".js>; rel=modulepreload, ";
        }
        fields += "</style.css>; rel=preload\r\n";
    }
    exchange.answer("200 OK", fields, "hello");
}

void serve_one_line(Exchange& exchange) {
    exchange.answer("200 OK", lines("X-Debug-Trace", "", 1, 20'000), "hello");
}

void serve_300_lines(Exchange& exchange) {
    exchange.answer("200 OK", lines("X-Item", "", 300, 8), "hello");
}

constexpr std::array kScenarios{
    Scenario{.name = "resp.status_line_too_large",
             .cause = Cause::resp_status_line_too_large,
             .description = "Sends a status line of 20 KB.",
             .serve = serve_long_status_line},
    Scenario{.name = "resp.headers_too_large",
             .cause = Cause::resp_headers_too_large,
             .description = "Sends 40 KB of headers, twenty of them X-Debug-*.",
             .serve = serve_x_debug},
    Scenario{.name = "resp.headers_too_large-set_cookie",
             .cause = Cause::resp_headers_too_large,
             .description = "Sends 40 Set-Cookie lines of 1 KB.",
             .serve = serve_set_cookie},
    Scenario{.name = "resp.headers_too_large-x_debug",
             .cause = Cause::resp_headers_too_large,
             .description = "Sends 20 X-Debug-* lines of 2 KB.",
             .serve = serve_x_debug},
    Scenario{.name = "resp.headers_too_large-link",
             .cause = Cause::resp_headers_too_large,
             .description = "Sends 39 KB of Link preloads in four lines.",
             .serve = serve_link},
    Scenario{.name = "resp.header_line_too_large",
             .cause = Cause::resp_header_line_too_large,
             .description = "Sends one header line of 20 KB.",
             .serve = serve_one_line},
    Scenario{.name = "resp.too_many_headers",
             .cause = Cause::resp_too_many_headers,
             .description = "Sends 300 short header lines.",
             .serve = serve_300_lines},
};

}  // namespace

std::span<const Scenario> header_limits() {
    return kScenarios;
}

}  // namespace edgecase::lab::faults
