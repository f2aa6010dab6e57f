// Owns what `edgecase explain` says of the words of other systems.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

#include "lexicon/lookup.hpp"

namespace edgecase::cli {

/// One paragraph per match, with our causes that it may be. Ends with a newline.
std::string words_text(std::span<const lexicon::Match> matches, bool colour);

/// `{"asked", "matches": [{"system", "vocabulary", "word", "meaning", "cannot_tell", "causes": [],
/// "next"}]}`
nlohmann::ordered_json words_json(std::string_view asked, std::span<const lexicon::Match> matches);

/// For `explain --list --words`: every vocabulary with all its words.
std::string word_list_text(bool colour);
nlohmann::ordered_json word_list_json();

}  // namespace edgecase::cli
