// The process that answers is really killed, with SIGKILL, while it owns the connection.
#include <array>

#include "lab/exchange.hpp"
#include "lab/faults/faults.hpp"

namespace edgecase::lab::faults {
namespace {

using cause::Cause;

constexpr std::string_view kPart =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\n"
    "The process that wrote this line did not live to write the next.\n";
constexpr std::string_view kChunkedPart =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
    "5\r\nhello\r\n";

// A killed process's socket is closed by the kernel: with FIN if the request was read to its end,
// with RST if some of it was not.
void die_having_read(Exchange& exchange, std::string_view bytes) {
    if (exchange.read_body()) exchange.die_in_child(bytes);
}

void die_with_body_unread(Exchange& exchange, std::string_view bytes) {
    if (exchange.wait_for_body()) exchange.die_in_child(bytes);
}

constexpr std::array kScenarios{
    Scenario{.name = "body.short_fin-killed_child",
             .cause = Cause::body_short_fin,
             .description = "A child process sends part of the body and is killed: FIN.",
             .serve = [](Exchange& exchange) { die_having_read(exchange, kPart); }},
    Scenario{.name = "body.short_rst-killed_child",
             .cause = Cause::body_short_rst,
             .description = "The same with the upload unread, for which the kernel sends RST.",
             .method = "POST",
             .request_body_bytes = 1024,
             .serve = [](Exchange& exchange) { die_with_body_unread(exchange, kPart); }},
    Scenario{.name = "body.chunk_truncated-killed_child",
             .cause = Cause::body_chunk_truncated,
             .description = "A child process sends one chunk and is killed: FIN.",
             .serve = [](Exchange& exchange) { die_having_read(exchange, kChunkedPart); }},
    Scenario{.name = "resp.empty_fin-killed_child",
             .cause = Cause::resp_empty_fin,
             .description = "A child process takes the request and is killed: FIN.",
             .serve = [](Exchange& exchange) { die_having_read(exchange, ""); }},
    Scenario{.name = "resp.empty_rst-killed_child",
             .cause = Cause::resp_empty_rst,
             .description = "The same with the upload unread, for which the kernel sends RST.",
             .method = "POST",
             .request_body_bytes = 1024,
             .serve = [](Exchange& exchange) { die_with_body_unread(exchange, ""); }},
};

}  // namespace

std::span<const Scenario> killed_process() {
    return kScenarios;
}

}  // namespace edgecase::lab::faults
