// A chunked body is cut off or its framing is broken.
#include <array>
#include <string>

#include "lab/exchange.hpp"
#include "lab/faults/faults.hpp"

namespace edgecase::lab::faults {
namespace {

using cause::Cause;
using namespace std::chrono_literals;

constexpr std::string_view kHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n";

/// More than the edge holds back: 256 KiB in good chunks.
bool send_large_start(Exchange& exchange) {
    if (!exchange.read_body() || !exchange.send(kHead)) return false;
    for (int i = 0; i < 16; ++i) {
        if (!exchange.send("4000\r\n") || !exchange.send_filler(0x4000) || !exchange.send("\r\n")) {
            return false;
        }
    }
    return true;
}

void serve_large_truncated(Exchange& exchange) {
    if (send_large_start(exchange)) exchange.finish();
}

void serve_large_reset(Exchange& exchange) {
    if (send_large_start(exchange)) exchange.reset();
}

void serve_large_bad_size(Exchange& exchange) {
    if (send_large_start(exchange) && exchange.send("zz\r\nhello\r\n0\r\n\r\n")) exchange.finish();
}

void serve_script_timeout(Exchange& exchange) {
    if (exchange.read_body() && exchange.send(kHead) && exchange.send("5\r\nhello\r\n") &&
        exchange.pause(1s)) {
        exchange.finish();
    }
}

void serve_long_extension(Exchange& exchange) {
    if (exchange.read_body() && exchange.send(kHead) && exchange.send("5;trace=") &&
        exchange.send(std::string(40'000, 'x')) && exchange.send("\r\nhello\r\n0\r\n\r\n")) {
        exchange.finish();
    }
}

constexpr std::array kScenarios{
    Scenario{.name = "body.chunk_truncated",
             .cause = Cause::body_chunk_truncated,
             .description = "Sends one chunk, then FIN instead of the last chunk.",
             .bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"},
    Scenario{.name = "body.chunk_truncated-in_chunk",
             .cause = Cause::body_chunk_truncated,
             .description = "Sends 5 bytes of a 16-byte chunk, then FIN.",
             .bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nhello"},
    Scenario{.name = "body.chunk_truncated-large",
             .cause = Cause::body_chunk_truncated,
             .status = 200,
             .aborts_client = true,
             .description = "Sends 256 KiB in chunks, then FIN instead of the last chunk.",
             .serve = serve_large_truncated},
    Scenario{.name = "body.chunk_truncated-script_timeout",
             .cause = Cause::body_chunk_truncated,
             .status = 200,
             .aborts_client = true,
             .description = "Sends one chunk, and FIN a second later.",
             .serve = serve_script_timeout},
    Scenario{.name = "body.chunk_reset",
             .cause = Cause::body_chunk_reset,
             .description = "Sends one chunk, then RST.",
             .bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
             .ending = Ending::rst},
    Scenario{.name = "body.chunk_reset-large",
             .cause = Cause::body_chunk_reset,
             .status = 200,
             .aborts_client = true,
             .description = "Sends 256 KiB in chunks, then RST.",
             .serve = serve_large_reset},
    Scenario{.name = "body.bad_chunk_size",
             .cause = Cause::body_bad_chunk_size,
             .description = "A chunk size is zz.",
             .bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "5\r\nhello\r\nzz\r\nworld\r\n0\r\n\r\n"},
    Scenario{.name = "body.bad_chunk_size-overflow",
             .cause = Cause::body_bad_chunk_size,
             .description = "A chunk size is larger than 64 bits hold.",
             .bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "fffffffffffffffff\r\nhello\r\n0\r\n\r\n"},
    Scenario{.name = "body.bad_chunk_size-large",
             .cause = Cause::body_bad_chunk_size,
             .status = 200,
             .aborts_client = true,
             .description = "A chunk size is zz, after 256 KiB of good chunks.",
             .serve = serve_large_bad_size},
    Scenario{.name = "body.bad_chunk_end",
             .cause = Cause::body_bad_chunk_end,
             .description = "A chunk is longer than its size says.",
             .bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "5\r\nhello, world\r\n0\r\n\r\n"},
    Scenario{.name = "body.bad_chunk_extension",
             .cause = Cause::body_bad_chunk_extension,
             .description = "A control byte (0x01) stands in a chunk extension.",
             .bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "5;trace=\x01\r\nhello\r\n0\r\n\r\n"},
    Scenario{.name = "body.bad_chunk_extension-too_long",
             .cause = Cause::body_bad_chunk_extension,
             .description = "A chunk extension is 40 KB long.",
             .serve = serve_long_extension},
};

}  // namespace

std::span<const Scenario> body_chunked() {
    return kScenarios;
}

}  // namespace edgecase::lab::faults
