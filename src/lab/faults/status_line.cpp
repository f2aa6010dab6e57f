// The status line is malformed.
#include <array>

#include "lab/faults/faults.hpp"

namespace edgecase::lab::faults {
namespace {

using cause::Cause;

constexpr std::array kScenarios{
    Scenario{.name = "resp.bad_version",
             .cause = Cause::resp_bad_version,
             .description = "The status line says HTTP/3.7.",
             .bytes = "HTTP/3.7 200 OK\r\nContent-Length: 5\r\n\r\nhello"},
    Scenario{.name = "resp.bad_version-http2_text",
             .cause = Cause::resp_bad_version,
             .description = "The status line says HTTP/2, as text, as curl prints it.",
             .bytes = "HTTP/2 200 OK\r\nContent-Length: 5\r\n\r\nhello"},
    Scenario{.name = "resp.bad_status_line",
             .cause = Cause::resp_bad_status_line,
             .description = "A tab stands between version and status code.",
             .bytes = "HTTP/1.1\t200 OK\r\nContent-Length: 5\r\n\r\nhello"},
    Scenario{.name = "resp.bad_status_code.missing",
             .cause = Cause::resp_bad_status_code_missing,
             .description = "The status line ends after the version and a space.",
             .bytes = "HTTP/1.1 \r\nContent-Length: 5\r\n\r\nhello"},
    Scenario{.name = "resp.bad_status_code.missing-bare",
             .cause = Cause::resp_bad_status_code_missing,
             .description = "The status line is the version alone.",
             .bytes = "HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"},
    Scenario{.name = "resp.bad_status_code.not_numeric",
             .cause = Cause::resp_bad_status_code_not_numeric,
             .description = "The status code is abc.",
             .bytes = "HTTP/1.1 abc OK\r\nContent-Length: 5\r\n\r\nhello"},
    Scenario{.name = "resp.bad_status_code.not_numeric-reason_only",
             .cause = Cause::resp_bad_status_code_not_numeric,
             .description = "The reason phrase stands where the status code belongs.",
             .bytes = "HTTP/1.1 OK\r\nContent-Length: 5\r\n\r\nhello"},
    Scenario{.name = "resp.bad_status_code.too_short",
             .cause = Cause::resp_bad_status_code_too_short,
             .description = "The status code is 20.",
             .bytes = "HTTP/1.1 20 OK\r\nContent-Length: 5\r\n\r\nhello"},
    Scenario{.name = "resp.bad_status_code.too_long",
             .cause = Cause::resp_bad_status_code_too_long,
             .description = "The status code is 2000.",
             .bytes = "HTTP/1.1 2000 OK\r\nContent-Length: 5\r\n\r\nhello"},
    Scenario{.name = "resp.bad_status_code.out_of_range",
             .cause = Cause::resp_bad_status_code_out_of_range,
             .description = "The status code is 999.",
             .bytes = "HTTP/1.1 999 Request denied\r\nContent-Length: 5\r\n\r\nhello"},
    Scenario{.name = "resp.bad_status_code.out_of_range-low",
             .cause = Cause::resp_bad_status_code_out_of_range,
             .description = "The status code is 099.",
             .bytes = "HTTP/1.1 099 Low\r\nContent-Length: 5\r\n\r\nhello"},
    Scenario{.name = "resp.bad_reason_phrase",
             .cause = Cause::resp_bad_reason_phrase,
             .description = "A control byte (0x01) stands in the reason phrase.",
             .bytes = "HTTP/1.1 200 O\x01K\r\nContent-Length: 5\r\n\r\nhello"},
};

}  // namespace

std::span<const Scenario> status_line() {
    return kScenarios;
}

}  // namespace edgecase::lab::faults
