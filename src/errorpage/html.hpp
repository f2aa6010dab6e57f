// Owns the page for people: one self-contained HTML document.
#pragma once

#include <string>

#include "errorpage/error_page.hpp"
#include "errorpage/subject.hpp"

namespace edgecase::errorpage {

/// Loads nothing, runs nothing, follows the reader's colour scheme and the width of the screen.
std::string html_body(const Subject& subject, cause::Actor actor, base::WallTime time);

}  // namespace edgecase::errorpage
