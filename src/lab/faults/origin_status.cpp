// The origin itself answers with a 5xx status: passed through, never re-branded.
#include <array>

#include "lab/faults/faults.hpp"

namespace edgecase::lab::faults {
namespace {

using cause::Cause;

constexpr std::array kScenarios{
    Scenario{.name = "origin.status",
             .cause = Cause::origin_status,
             .status = 500,
             .description = "Answers 500 with a page of its own.",
             .bytes = "HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/html\r\n"
                      "Connection: close\r\nContent-Length: 24\r\n\r\n<h1>Our own mistake</h1>"},
    Scenario{.name = "origin.status-502",
             .cause = Cause::origin_status,
             .status = 502,
             .description = "Answers 502, as a gateway behind the edge does.",
             .bytes = "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain\r\n"
                      "Connection: close\r\nContent-Length: 12\r\n\r\nBad gateway\n"},
    Scenario{.name = "origin.status-503",
             .cause = Cause::origin_status,
             .status = 503,
             .description = "Answers 503 with Retry-After.",
             .bytes = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 120\r\n"
                      "Connection: close\r\nContent-Length: 12\r\n\r\nMaintenance\n"},
    Scenario{.name = "origin.status-504",
             .cause = Cause::origin_status,
             .status = 504,
             .description = "Answers 504, as a gateway behind the edge does.",
             .bytes = "HTTP/1.1 504 Gateway Timeout\r\nConnection: close\r\n"
                      "Content-Length: 8\r\n\r\nTimeout\n"},
    Scenario{.name = "origin.status-520",
             .cause = Cause::origin_status,
             .status = 520,
             .description = "Answers 520 itself, as another edge behind this one does.",
             .bytes = "HTTP/1.1 520 Origin Error\r\nConnection: close\r\n"
                      "Content-Length: 14\r\n\r\nUnknown error\n"},
};

}  // namespace

std::span<const Scenario> origin_status() {
    return kScenarios;
}

}  // namespace edgecase::lab::faults
