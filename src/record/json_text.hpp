// Owns the making of valid JSON strings out of bytes from the network.
#pragma once

#include <string>
#include <string_view>

namespace edgecase::record {

/// `bytes` with every byte that is not part of valid UTF-8 written as `\xNN` (four characters),
/// since nlohmann::json throws on anything else. Valid text comes back unchanged.
std::string json_text(std::string_view bytes);

}  // namespace edgecase::record
