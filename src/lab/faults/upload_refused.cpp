// The origin stops taking the request body before its end.
#include <array>

#include "lab/exchange.hpp"
#include "lab/faults/faults.hpp"

namespace edgecase::lab::faults {
namespace {

using cause::Cause;

// More than the two kernels' buffers hold (4.1 MiB measured on loopback), so that the client is
// still sending when the fault comes.
constexpr uint64_t kUploadBytes = 8ULL * 1024 * 1024;
constexpr uint64_t kTakenBytes = 64ULL * 1024;

// How long a half-closed connection is kept: its unread bytes must not turn FIN into RST.
constexpr std::chrono::seconds kHalfClosedFor{10};

void serve_stalled(Exchange& exchange) {
    exchange.shrink_receive_buffer();
    if (!exchange.read_body_start(0)) return;
    exchange.hang();
}

void serve_reset(Exchange& exchange) {
    if (exchange.read_body_start(kTakenBytes)) exchange.reset();
}

void serve_closed(Exchange& exchange) {
    if (!exchange.read_body_start(kTakenBytes)) return;
    exchange.half_close();
    exchange.pause(kHalfClosedFor);
}

constexpr std::array kScenarios{
    Scenario{.name = "request.write_stalled",
             .cause = Cause::request_write_stalled,
             .status = 524,
             .description = "Reads the head of an 8 MiB upload and then never reads again.",
             .method = "POST",
             .request_body_bytes = kUploadBytes,
             .serve = serve_stalled},
    Scenario{.name = "request.write_reset",
             .cause = Cause::request_write_reset,
             .description = "Reads 64 KiB of an 8 MiB upload and resets.",
             .method = "POST",
             .request_body_bytes = kUploadBytes,
             .serve = serve_reset},
    Scenario{.name = "request.write_closed",
             .cause = Cause::request_write_closed,
             .description = "Reads 64 KiB of an 8 MiB upload, sends FIN and reads no more.",
             .method = "POST",
             .request_body_bytes = kUploadBytes,
             .serve = serve_closed},
};

}  // namespace

std::span<const Scenario> upload_refused() {
    return kScenarios;
}

}  // namespace edgecase::lab::faults
