// The origin takes a request body and does nothing wrong.
#include <array>
#include <string>

#include "lab/exchange.hpp"
#include "lab/faults/faults.hpp"

namespace edgecase::lab::faults {
namespace {

void serve_taken(Exchange& exchange) {
    exchange.answer("200 OK", "Content-Type: text/plain\r\n", "The body was read.\n");
}

void serve_100(Exchange& exchange) {
    if (!exchange.request().expects_continue) exchange.send("HTTP/1.1 100 Continue\r\n\r\n");
    serve_taken(exchange);
}

void serve_early_reply(Exchange& exchange) {
    if (!exchange.read_body_start(64ULL * 1024)) return;
    exchange.send(
        "HTTP/1.1 413 Content Too Large\r\nContent-Type: text/plain\r\n"
        "Connection: close\r\nContent-Length: 9\r\n\r\nToo much\n");
    exchange.finish();
}

constexpr std::array kScenarios{
    Scenario{.name = "ok-post",
             .status = 200,
             .description = "Reads a 4 KiB body and answers 200.",
             .method = "POST",
             .request_body_bytes = 4096,
             .serve = serve_taken},
    Scenario{.name = "ok-upload",
             .status = 200,
             .description = "Reads an 8 MiB body and answers 200.",
             .method = "POST",
             .request_body_bytes = 8ULL * 1024 * 1024,
             .serve = serve_taken},
    Scenario{.name = "ok-100",
             .status = 200,
             .description = "Sends 100 Continue, reads the body and answers 200.",
             .method = "POST",
             .request_body_bytes = 4096,
             .request_headers = "Expect: 100-continue\r\n",
             .serve = serve_100},
    Scenario{.name = "ok-early_reply",
             .status = 413,
             .description = "Answers 413 after 64 KiB of an 8 MiB upload, then reads the rest.",
             .method = "POST",
             .request_body_bytes = 8ULL * 1024 * 1024,
             .serve = serve_early_reply},
};

}  // namespace

std::span<const Scenario> ok_uploads() {
    return kScenarios;
}

}  // namespace edgecase::lab::faults
