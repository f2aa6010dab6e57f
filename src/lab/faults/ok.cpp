// The origin does nothing wrong: what the edge must not take for a fault.
#include <array>
#include <string>

#include "lab/exchange.hpp"
#include "lab/faults/faults.hpp"

namespace edgecase::lab::faults {
namespace {

using cause::Cause;
using std::chrono::milliseconds;

constexpr std::string_view kText = "Content-Type: text/plain; charset=utf-8\r\n";

void serve_ok(Exchange& exchange) {
    exchange.answer("200 OK", kText, "The origin is well.\n");
}

void serve_large(Exchange& exchange) {
    if (!exchange.read_body()) return;
    exchange.send(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n"
        "Content-Length: 1048576\r\n\r\n");
    if (!exchange.request().is_head()) exchange.send_filler(1'048'576);
    exchange.finish();
}

void serve_slow_body(Exchange& exchange) {
    if (!exchange.read_body()) return;
    exchange.send(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n"
        "Content-Length: 10240\r\n\r\n");
    for (int i = 0; i < 10 && !exchange.request().is_head(); ++i) {
        if (!exchange.send_filler(1024) || !exchange.pause(milliseconds(100))) return;
    }
    exchange.finish();
}

void serve_event_stream(Exchange& exchange) {
    if (!exchange.read_body()) return;
    exchange.send(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n"
        "\r\n");
    if (exchange.request().is_head()) return exchange.finish();
    for (const std::string_view event : {"data: one\n\n", "data: two\n\n", "data: three\n\n"}) {
        if (!exchange.send(event) || !exchange.pause(milliseconds(100))) return;
    }
    exchange.finish();
}

void serve_headers_30k(Exchange& exchange) {
    std::string fields;
    for (int i = 10; i < 41; ++i) {
        fields += "X-Debug-" + std::to_string(i) + ": " + std::string(984, 'd') + "\r\n";
    }
    exchange.answer("200 OK", fields, "Thirty-one kilobytes of headers.\n");
}

constexpr std::array kScenarios{
    Scenario{.name = "ok",
             .status = 200,
             .description = "Answers 200 with Content-Length.",
             .serve = serve_ok},
    Scenario{.name = "ok-keep_alive",
             .status = 200,
             .description = "Answers two requests on one connection.",
             .target = Target::reuse,
             .warmup_path = "/ok",
             .serve = serve_ok},
    Scenario{.name = "ok-resolved",
             .status = 200,
             .description = "Is reached by name: ok.lab.test resolves to the lab.",
             .target = Target::dns,
             .host = "ok.lab.test",
             .serve = serve_ok},
    Scenario{.name = "ok-head",
             .status = 200,
             .description = "Answers HEAD with the Content-Length a GET would have, and no body.",
             .method = "HEAD",
             .serve = serve_ok},
    Scenario{.name = "ok-chunked",
             .status = 200,
             .description = "Answers with a chunked body.",
             .bytes = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n"
                      "Transfer-Encoding: chunked\r\n\r\n"
                      "4\r\nThe \r\n7\r\norigin \r\n9\r\nis well.\n\r\n0\r\n\r\n"},
    Scenario{.name = "ok-trailers",
             .status = 200,
             .description = "Answers with a chunked body and a trailer field.",
             .bytes = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n"
                      "Transfer-Encoding: chunked\r\nTrailer: X-Checksum\r\n\r\n"
                      "5\r\nhello\r\n0\r\nX-Checksum: 3610a686\r\n\r\n"},
    Scenario{.name = "ok-103",
             .status = 200,
             .description = "Sends 103 Early Hints before the final response.",
             .bytes = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload; as=style\r\n"
                      "\r\n"
                      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n"
                      "Content-Length: 5\r\n\r\nhello"},
    Scenario{.name = "ok-http10",
             .status = 200,
             .description = "Answers as an HTTP/1.0 server, with Content-Length.",
             .bytes = "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n"
                      "hello"},
    Scenario{.name = "ok-close_delimited",
             .status = 200,
             .description = "Answers without a length; the connection's end is the body's end.",
             .bytes = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
                      "hello"},
    Scenario{.name = "ok-204",
             .status = 204,
             .description = "Answers 204 without a body.",
             .bytes = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"},
    Scenario{.name = "ok-304",
             .status = 304,
             .description = "Answers 304 with the Content-Length of the body it does not send.",
             .bytes = "HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\nContent-Length: 5\r\n"
                      "Connection: close\r\n\r\n"},
    Scenario{.name = "ok-no_reason",
             .status = 200,
             .description = "Sends a status line with an empty reason phrase, as RFC 9112 allows.",
             .bytes = "HTTP/1.1 200 \r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"},
    Scenario{.name = "ok-upgrade",
             .status = 101,
             .description = "Switches to the protocol asked for, says hello in it and ends.",
             .request_headers = "Connection: Upgrade\r\nUpgrade: lab-hello\r\n",
             .bytes = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                      "Upgrade: lab-hello\r\n\r\nhello from the lab\n"},
    Scenario{.name = "ok-large",
             .status = 200,
             .description = "Answers with 1 MiB.",
             .serve = serve_large},
    Scenario{.name = "ok-slow_body",
             .status = 200,
             .description = "Sends its body in ten parts, 100 ms apart.",
             .serve = serve_slow_body},
    Scenario{.name = "ok-event_stream",
             .status = 200,
             .description = "Sends three server-sent events, 100 ms apart.",
             .serve = serve_event_stream},
    Scenario{.name = "ok-headers_30k",
             .status = 200,
             .description = "Sends 31 KB of headers: within the limit, over the warning mark.",
             .serve = serve_headers_30k},
};

}  // namespace

std::span<const Scenario> ok() {
    return kScenarios;
}

}  // namespace edgecase::lab::faults
