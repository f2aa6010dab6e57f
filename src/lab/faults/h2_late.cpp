// Over HTTP/2 the origin keeps the edge waiting; PING is answered all the time.
#include <array>
#include <string>

#include "lab/faults/faults.hpp"
#include "lab/h2_exchange.hpp"

namespace edgecase::lab::faults {
namespace {

using cause::Cause;

constexpr std::array kScenarios{
    Scenario{.name = "request.write_stalled-h2",
             .cause = Cause::request_write_stalled,
             .status = 524,
             .description = "Never gives credit for an 8 MiB upload: the window closes.",
             .target = Target::h2,
             .method = "POST",
             .request_body_bytes = 8ULL * 1024 * 1024,
             .serve_h2 = [](H2Exchange&) {}},
    Scenario{.name = "time.first_byte-h2",
             .cause = Cause::time_first_byte,
             .status = 524,
             .description = "Reads the request over HTTP/2 and never answers.",
             .target = Target::h2,
             .serve_h2 = [](H2Exchange&) {}},
    Scenario{.name = "time.between_responses-h2",
             .cause = Cause::time_between_responses,
             .status = 524,
             .description = "Sends 103 Early Hints over HTTP/2 and never the final response.",
             .target = Target::h2,
             .frames =
                 [](uint32_t id) {
                     return h2::headers(id,
                                        {{":status", "103"}, {"link", "</a.css>; rel=preload"}});
                 }},
    Scenario{.name = "time.body_idle-h2",
             .cause = Cause::time_body_idle,
             .status = 200,
             .aborts_client = true,
             .description = "Sends headers and 5 of 500 bytes over HTTP/2 and then nothing.",
             .target = Target::h2,
             .frames =
                 [](uint32_t id) {
                     return h2::headers(id, {{":status", "200"}, {"content-length", "500"}}) +
                            h2::data(id, "hello");
                 }},
};

}  // namespace

std::span<const Scenario> h2_late() {
    return kScenarios;
}

}  // namespace edgecase::lab::faults
