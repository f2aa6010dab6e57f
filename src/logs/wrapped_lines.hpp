// Owns the frames that containers and journals put around another program's line.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "logs/access_formats.hpp"

namespace edgecase::logs {

enum class Frame : uint8_t {
    none,
    docker,   // {"log":"LINE\n","stream":"stdout","time":"..."}
    cri,      // 2026-11-01T10:00:00.123456789Z stdout F LINE
    journal,  // Nov  1 10:00:00 host program[1]: LINE, also with an ISO time
};

/// The line within; empty: it has no such frame. `room` is used if it does not stand there as it
/// is. Followed by kLinePadding readable bytes, as `line` is.
std::string_view unwrapped(Frame frame, std::string_view line, std::string& room);

/// The frame that nearly all of the lines have.
Frame frame_of(std::span<const std::string_view> lines);

/// Lines of that format in a frame.
AccessFormatPtr framed(AccessFormatPtr format, Frame frame);

}  // namespace edgecase::logs
