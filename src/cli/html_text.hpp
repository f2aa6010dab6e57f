// Owns what our HTML reports share: text made harmless, one style.
#pragma once

#include <string>
#include <string_view>

namespace edgecase::cli {

/// One line of harmless text, for HTML's text and attributes.
std::string html(std::string_view text);

/// CSS for a page that needs no other file.
extern const std::string_view kStyle;

}  // namespace edgecase::cli
