// Owns the guess at what a misspelt word was meant to be.
#pragma once

#include <span>
#include <string_view>

namespace edgecase::config {

/// The choice nearest to `word`; empty when none comes near.
std::string_view nearest(std::string_view word, std::span<const std::string_view> choices);

}  // namespace edgecase::config
