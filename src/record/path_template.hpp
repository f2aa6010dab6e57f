// Owns the shape of a path: what all requests of one kind have in common.
#pragma once

#include <string>
#include <string_view>

namespace edgecase::record {

/// `/orders/{n}/items` of `/orders/4711/items?x=1`: what is a number, an id or very long stands for
/// its kind; the query is left out; at most seven segments. `out` is overwritten, so that a string
/// used again costs no allocation.
void path_template(std::string_view uri, std::string& out);
std::string path_template(std::string_view uri);

}  // namespace edgecase::record
