#include "h2/fault.hpp"

#include <fmt/core.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace edgecase::h2 {
namespace {

constexpr std::array<std::string_view, 14> kErrorCodes = {"NO_ERROR",
                                                          "PROTOCOL_ERROR",
                                                          "INTERNAL_ERROR",
                                                          "FLOW_CONTROL_ERROR",
                                                          "SETTINGS_TIMEOUT",
                                                          "STREAM_CLOSED",
                                                          "FRAME_SIZE_ERROR",
                                                          "REFUSED_STREAM",
                                                          "CANCEL",
                                                          "COMPRESSION_ERROR",
                                                          "CONNECT_ERROR",
                                                          "ENHANCE_YOUR_CALM",
                                                          "INADEQUATE_SECURITY",
                                                          "HTTP_1_1_REQUIRED"};

}  // namespace

std::string_view to_string(Rule rule) {
    switch (rule) {
        case Rule::none:
            return "none";
        case Rule::reset:
            return "reset";
        case Rule::goaway:
            return "goaway";
        case Rule::unprocessed:
            return "unprocessed";
        case Rule::forbidden_field:
            return "forbidden_field";
        case Rule::bad_pseudo:
            return "bad_pseudo";
        case Rule::bad_field:
            return "bad_field";
        case Rule::header_list_size:
            return "header_list_size";
        case Rule::content_length:
            return "content_length";
        case Rule::closed_early:
            return "closed_early";
        case Rule::not_http2:
            return "not_http2";
        case Rule::frame_size:
            return "frame_size";
        case Rule::flow_control:
            return "flow_control";
        case Rule::compression:
            return "compression";
        case Rule::closed_stream:
            return "closed_stream";
        case Rule::protocol:
            return "protocol";
        case Rule::max_streams_zero:
            return "max_streams_zero";
        case Rule::rapid_reset:
            return "rapid_reset";
        case Rule::continuation_flood:
            return "continuation_flood";
        case Rule::settings_flood:
            return "settings_flood";
        case Rule::ping_flood:
            return "ping_flood";
        case Rule::empty_frame_flood:
            return "empty_frame_flood";
        case Rule::header_bomb:
            return "header_bomb";
    }
    return "none";
}

std::string error_code_name(uint32_t code) {
    if (code < kErrorCodes.size()) return std::string(kErrorCodes[code]);
    return fmt::format("0x{:x}", code);
}

}  // namespace edgecase::h2
