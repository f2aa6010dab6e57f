// The origin closes a keep-alive connection just when its next request arrives.
#include <array>

#include "lab/exchange.hpp"
#include "lab/faults/faults.hpp"

namespace edgecase::lab::faults {
namespace {

using cause::Cause;

// More than the 64 KiB of a request body that the edge keeps for another attempt.
constexpr uint64_t kUnrepeatableBytes = 512ULL * 1024;

void serve_fresh(Exchange& exchange) {
    exchange.answer("200 OK", "Content-Type: text/plain\r\n",
                    "Served as the first request of a connection.\n");
}

void serve_fin_if_reused(Exchange& exchange) {
    if (exchange.nth_request() == 1) return serve_fresh(exchange);
    // Only once the edge has certainly read more of the body than it keeps.
    if (exchange.read_body()) exchange.finish();
}

void serve_rst_if_reused(Exchange& exchange) {
    if (exchange.nth_request() == 1) return serve_fresh(exchange);
    if (exchange.read_body()) exchange.reset();
}

constexpr std::array kScenarios{
    Scenario{.name = "reuse.stale",
             .cause = Cause::reuse_stale,
             .description = "Sends FIN instead of an answer to an upload on a reused connection.",
             .target = Target::reuse,
             .method = "POST",
             .request_body_bytes = kUnrepeatableBytes,
             .warmup_path = "/ok",
             .serve = serve_fin_if_reused},
    Scenario{.name = "reuse.stale-rst",
             .cause = Cause::reuse_stale,
             .description = "Resets instead of answering an upload on a reused connection.",
             .target = Target::reuse,
             .method = "POST",
             .request_body_bytes = kUnrepeatableBytes,
             .warmup_path = "/ok",
             .serve = serve_rst_if_reused},
    Scenario{.name = "ok-retried",
             .status = 200,
             .description = "Sends FIN instead of an answer on a reused connection, and answers "
                            "on a new one.",
             .target = Target::reuse,
             .warmup_path = "/ok",
             .serve = serve_fin_if_reused},
    Scenario{.name = "ok-retried_rst",
             .status = 200,
             .description = "Resets instead of answering on a reused connection, and answers on a "
                            "new one.",
             .target = Target::reuse,
             .warmup_path = "/ok",
             .serve = serve_rst_if_reused},
    Scenario{.name = "ok-retried_post",
             .status = 200,
             .description = "Does as ok-retried to a 1 KiB upload, small enough to be sent again.",
             .target = Target::reuse,
             .method = "POST",
             .request_body_bytes = 1024,
             .warmup_path = "/ok",
             .serve = serve_fin_if_reused},
};

}  // namespace

std::span<const Scenario> reused_connection() {
    return kScenarios;
}

}  // namespace edgecase::lab::faults
