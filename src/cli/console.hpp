// Owns where commands write: standard output and error, and whether colour fits there.
#pragma once

#include <string_view>

namespace edgecase::cli {

/// Colour on standard output: a terminal, and NO_COLOR is not set.
bool wants_colour();

void print(std::string_view text);
/// One line on standard error, `edgecase: TEXT`.
void complain(std::string_view text);

}  // namespace edgecase::cli
