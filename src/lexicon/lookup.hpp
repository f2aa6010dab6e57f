// Owns finding other systems' words: by name, and in whole log lines.
#pragma once

#include <string_view>
#include <vector>

#include "cause/table.hpp"
#include "lexicon/word.hpp"

namespace edgecase::lexicon {

struct Match {
    const Vocabulary* vocabulary;
    const Word* word;
};

/// What `text` may be: a word of any vocabulary, whatever its case; an Envoy detail with its reason
/// in braces, both; a HAProxy state with its two letters of the cookie (`SH--`); else what
/// find_in_line() finds. Those of an exact word first. Empty: nobody's word.
std::vector<Match> look_up(std::string_view text);

/// The phrases that a log line holds, the longest of each vocabulary, and the words in it that
/// cannot be mistaken for others (`ECONNRESET`, `upstream_reset_before_response_started`, `SH--`).
std::vector<Match> find_in_line(std::string_view line);

/// Our causes that the word may be, in the order of the table.
std::vector<const cause::Row*> causes_of(const Word& word);

bool may_be(const Word& word, const cause::Row& row);

}  // namespace edgecase::lexicon
