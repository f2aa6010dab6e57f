#include "h2/frame_log.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "h2/fault.hpp"
#include "h2/frame_scanner.hpp"

namespace edgecase::h2 {
namespace {

void add_flag(std::string& names, const FrameSeen& frame, uint8_t flag, std::string_view name) {
    if ((frame.flags & flag) == 0) return;
    if (!names.empty()) names += ' ';
    names += name;
}

/// The flags by name; each bit means something for some types only. Source: RFC 9113 §6.
std::string flag_names(const FrameSeen& frame) {
    std::string names;
    const auto type = frame_type(frame.type);
    const bool acknowledges = type == FrameType::settings || type == FrameType::ping;
    const bool ends_stream = type == FrameType::data || type == FrameType::headers;
    const bool has_fields = type == FrameType::headers || type == FrameType::push_promise;
    if (acknowledges) add_flag(names, frame, kAck, "ACK");
    if (ends_stream) add_flag(names, frame, kEndStream, "END_STREAM");
    if (has_fields || type == FrameType::continuation) {
        add_flag(names, frame, kEndHeaders, "END_HEADERS");
    }
    if (has_fields || type == FrameType::data) add_flag(names, frame, kPadded, "PADDED");
    if (type == FrameType::headers) add_flag(names, frame, kPriority, "PRIORITY");
    return names;
}

}  // namespace

std::vector<std::string> FrameLog::lines() const {
    std::vector<std::string> result;
    const uint64_t kept = std::min<uint64_t>(count_, kKept);
    result.reserve(kept);
    for (uint64_t i = count_ - kept; i < count_; ++i) {
        result.push_back(to_string(frames_[i % kKept]));
    }
    return result;
}

std::string to_string(const FrameSeen& frame) {
    std::string line = fmt::format("{} {} stream {} flags 0x{:02x}", frame.sent ? '>' : '<',
                                   frame_type_name(frame.type), frame.stream_id, frame.flags);
    if (const std::string names = flag_names(frame); !names.empty()) line += " (" + names + ")";
    line += fmt::format(" length {}", frame.length);
    const auto type = frame_type(frame.type);
    if (type == FrameType::rst_stream || type == FrameType::goaway) {
        line += " " + error_code_name(frame.error_code);
    }
    return line;
}

}  // namespace edgecase::h2
