// The response ends inside its status line or its headers.
#include <array>

#include "lab/faults/faults.hpp"

namespace edgecase::lab::faults {
namespace {

using cause::Cause;

constexpr std::array kScenarios{
    Scenario{.name = "resp.truncated_status",
             .cause = Cause::resp_truncated_status,
             .description = "Sends half a status line, then FIN.",
             .bytes = "HTTP/1.1 20"},
    Scenario{.name = "resp.truncated_status-one_byte",
             .cause = Cause::resp_truncated_status,
             .description = "Sends the letter H, then FIN.",
             .bytes = "H"},
    Scenario{.name = "resp.truncated_status-no_crlf",
             .cause = Cause::resp_truncated_status,
             .description = "Sends a status line without its line end, then FIN.",
             .bytes = "HTTP/1.1 200 OK"},
    Scenario{.name = "resp.reset_status",
             .cause = Cause::resp_reset_status,
             .description = "Sends half a status line, then RST.",
             .bytes = "HTTP/1.1 20",
             .ending = Ending::rst},
    Scenario{.name = "resp.truncated_headers",
             .cause = Cause::resp_truncated_headers,
             .description = "Ends with FIN inside a header line.",
             .bytes = "HTTP/1.1 200 OK\r\nContent-Type: text/ht"},
    Scenario{.name = "resp.truncated_headers-no_blank_line",
             .cause = Cause::resp_truncated_headers,
             .description = "Sends whole headers without the blank line after them, then FIN.",
             .bytes = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n"},
    Scenario{.name = "resp.reset_headers",
             .cause = Cause::resp_reset_headers,
             .description = "Ends with RST inside a header line.",
             .bytes = "HTTP/1.1 200 OK\r\nContent-Type: text/ht",
             .ending = Ending::rst},
};

}  // namespace

std::span<const Scenario> response_truncated() {
    return kScenarios;
}

}  // namespace edgecase::lab::faults
