// A header line is malformed.
#include <array>

#include "lab/faults/faults.hpp"

namespace edgecase::lab::faults {
namespace {

using cause::Cause;
using namespace std::string_view_literals;

constexpr std::array kScenarios{
    Scenario{.name = "resp.bad_header_name.space",
             .cause = Cause::resp_bad_header_name_space,
             .description = "A space stands before a header's colon.",
             .bytes = "HTTP/1.1 200 OK\r\nX-Trace : 1\r\nContent-Length: 5\r\n\r\nhello"},
    Scenario{.name = "resp.bad_header_name.byte",
             .cause = Cause::resp_bad_header_name_byte,
             .description = "A parenthesis stands in a header's name.",
             .bytes = "HTTP/1.1 200 OK\r\nX-Tra(ce: 1\r\nContent-Length: 5\r\n\r\nhello"},
    Scenario{.name = "resp.bad_header_name.byte-utf8",
             .cause = Cause::resp_bad_header_name_byte,
             .description = "A letter outside ASCII stands in a header's name.",
             .bytes = "HTTP/1.1 200 OK\r\nX-Gr\xc3\xb6\xc3\x9f"
                      "e: 1\r\nContent-Length: 5\r\n\r\nhello"},
    Scenario{.name = "resp.bad_header_name.empty",
             .cause = Cause::resp_bad_header_name_empty,
             .description = "A header line begins with its colon.",
             .bytes = "HTTP/1.1 200 OK\r\n: nameless\r\nContent-Length: 5\r\n\r\nhello"},
    Scenario{.name = "resp.no_colon",
             .cause = Cause::resp_no_colon,
             .description = "A header line has no colon.",
             .bytes = "HTTP/1.1 200 OK\r\nNoColonHere\r\nContent-Length: 5\r\n\r\nhello"},
    Scenario{.name = "resp.no_colon-script_output",
             .cause = Cause::resp_no_colon,
             .description = "A script's output stands between the headers.",
             .bytes = "HTTP/1.1 200 OK\r\nConnected to database\r\nContent-Length: 5\r\n\r\n"
                      "hello"},
    Scenario{.name = "resp.bad_header_value.nul",
             .cause = Cause::resp_bad_header_value_nul,
             .description = "A NUL byte stands in a header's value.",
             .bytes = "HTTP/1.1 200 OK\r\nX-Trace: a\0b\r\nContent-Length: 5\r\n\r\nhello"sv},
    Scenario{.name = "resp.bad_header_value.control",
             .cause = Cause::resp_bad_header_value_control,
             .description = "A control byte (0x01) stands in a header's value.",
             .bytes = "HTTP/1.1 200 OK\r\nX-Trace: a\x01z\r\nContent-Length: 5\r\n\r\nhello"},
    Scenario{.name = "resp.bad_header_value.control-del",
             .cause = Cause::resp_bad_header_value_control,
             .description = "The byte 0x7f stands in a header's value.",
             .bytes = "HTTP/1.1 200 OK\r\nX-Trace: a\x7fz\r\nContent-Length: 5\r\n\r\nhello"},
    Scenario{.name = "resp.obs_fold",
             .cause = Cause::resp_obs_fold,
             .description = "A header goes on in a second line that begins with a space.",
             .bytes = "HTTP/1.1 200 OK\r\nX-Long: first\r\n second\r\nContent-Length: 5\r\n\r\n"
                      "hello"},
    Scenario{.name = "resp.bare_lf",
             .cause = Cause::resp_bare_lf,
             .description = "Every line ends in LF alone.",
             .bytes = "HTTP/1.1 200 OK\nContent-Type: text/plain\nContent-Length: 5\n\nhello"},
    Scenario{.name = "resp.bare_lf-one_line",
             .cause = Cause::resp_bare_lf,
             .description = "One header line ends in LF alone.",
             .bytes = "HTTP/1.1 200 OK\r\nX-Script: yes\nContent-Length: 5\r\n\r\nhello"},
    Scenario{.name = "resp.bare_cr",
             .cause = Cause::resp_bare_cr,
             .description = "A CR without LF stands inside a header line.",
             .bytes = "HTTP/1.1 200 OK\r\nX-One: 1\rX-Two: 2\r\nContent-Length: 5\r\n\r\nhello"},
};

}  // namespace

std::span<const Scenario> header_syntax() {
    return kScenarios;
}

}  // namespace edgecase::lab::faults
