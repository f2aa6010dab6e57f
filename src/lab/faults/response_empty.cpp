// The origin takes the request and ends the connection without a byte.
#include <array>

#include "lab/exchange.hpp"
#include "lab/faults/faults.hpp"

namespace edgecase::lab::faults {
namespace {

using cause::Cause;

void serve_fin(Exchange& exchange) {
    if (exchange.read_body()) exchange.finish();
}

void serve_rst(Exchange& exchange) {
    if (exchange.read_body()) exchange.reset();
}

constexpr std::array kScenarios{
    Scenario{.name = "resp.empty_fin",
             .cause = Cause::resp_empty_fin,
             .description = "Reads the request and sends FIN.",
             .serve = serve_fin},
    Scenario{.name = "resp.empty_fin-post",
             .cause = Cause::resp_empty_fin,
             .description = "Reads a 256 KiB upload to its end and sends FIN.",
             .method = "POST",
             .request_body_bytes = 256ULL * 1024,
             .serve = serve_fin},
    Scenario{.name = "resp.empty_rst",
             .cause = Cause::resp_empty_rst,
             .description = "Reads the request and sends RST.",
             .serve = serve_rst},
    Scenario{.name = "resp.empty_rst-post",
             .cause = Cause::resp_empty_rst,
             .description = "Reads a 256 KiB upload to its end and sends RST.",
             .method = "POST",
             .request_body_bytes = 256ULL * 1024,
             .serve = serve_rst},
};

}  // namespace

std::span<const Scenario> response_empty() {
    return kScenarios;
}

}  // namespace edgecase::lab::faults
