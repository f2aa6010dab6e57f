// Owns printable forms of arbitrary bytes.
#pragma once

#include <string>
#include <string_view>

namespace edgecase::base {

/// C-style: `\r`, `\n`, `\t`, `\\`, `\"` and `\xNN` for every other byte outside printable ASCII.
std::string escape(std::string_view bytes);

}  // namespace edgecase::base
