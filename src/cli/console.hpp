// Owns where commands write: standard output and error, and whether colour fits there.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace edgecase::cli {

/// Colour on standard output: a terminal, and NO_COLOR is not set.
bool wants_colour();
/// Of the terminal that standard output is; 80 when it is none or does not say.
size_t terminal_columns();
/// Standard error is a terminal: somebody watches.
bool is_watched();

/// To standard output. What cannot be written is complained of once, see output_failed().
void print(std::string_view text);
/// Whether print() lost anything: a full disk, a closed descriptor.
bool output_failed();

/// One line on standard error, `edgecase: TEXT`.
void complain(std::string_view text);
/// To standard error as it is: for texts of our own.
void note(std::string_view text);

/// `text` as one line that no terminal obeys: `\xNN` for control bytes, line ends and what is not
/// valid UTF-8, and for the code points that change the direction of what follows. Letters of every
/// alphabet stay.
std::string one_line(std::string_view text);

}  // namespace edgecase::cli
