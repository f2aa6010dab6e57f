// Owns `edgecase explain -`: log lines as they come, each that says something with what it means.
#pragma once

#include <string>
#include <string_view>

namespace edgecase::cli {

/// The line made harmless for a terminal, and below it, for each word it holds, one line with what
/// that means and our causes. Ends with a newline.
std::string annotated(std::string_view line, bool colour);

/// From standard input to standard output until its end, line by line. A line over 64 KiB is cut.
void annotate_standard_input(bool colour, bool json);

}  // namespace edgecase::cli
