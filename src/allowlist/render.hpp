// Owns the allow-list in the languages of firewalls and servers.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "allowlist/published.hpp"

namespace edgecase::allowlist {

struct RenderFormat {
    std::string_view name;
    std::string_view what;  // for --help: what the output is for
    std::string (*render)(const Published&, std::span<const uint16_t> ports);
};

std::span<const RenderFormat> render_formats();
const RenderFormat* render_format(std::string_view name);

/// The blocks that stand in a rendered text, of whatever format, in their order.
std::vector<ip::Cidr> ranges_in(std::string_view text);

}  // namespace edgecase::allowlist
